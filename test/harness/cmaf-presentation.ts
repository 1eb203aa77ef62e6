import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AccessUnit,
  type CmafSegmenter,
  LiveMediaPlaylist,
  type Part,
  renderMultivariant,
  SegmentAligner,
  type SegmentEnd,
  type SegmenterSink,
  type SegmentGap,
  type SegmentStart,
  TICKS_PER_SECOND,
  type Track,
} from "@klieg/media";

const TARGET_DURATION = 4;
const PART_TARGET = 0.334;

/** One track of a presentation, cut by the segmenter, without a server. */
export class PackagedTrack implements SegmenterSink {
  readonly name: string;
  readonly playlist: LiveMediaPlaylist;
  readonly inits: Buffer[] = [];
  readonly parts: Buffer[] = [];
  /** Parts by segment. */
  readonly segments: Buffer[][] = [];
  readonly starts: SegmentStart[] = [];
  track: Track | undefined;
  bytes = 0;

  constructor(name: string) {
    this.name = name;
    this.playlist = new LiveMediaPlaylist({
      targetDuration: TARGET_DURATION,
      partTarget: PART_TARGET,
      windowTicks: 3600 * TICKS_PER_SECOND,
      segmentUri: (msn) => `${name}-${msn}.m4s`,
      partUri: (serial) => `${name}-part-${serial}.m4s`,
    });
  }

  /** Init segment and everything after it, as one file. */
  get file(): Buffer {
    return Buffer.concat([...this.inits, ...this.parts]);
  }

  onInit(init: { readonly bytes: Uint8Array; readonly track: Track }): void {
    this.inits.push(Buffer.from(init.bytes));
    this.track = init.track;
  }

  onSegmentStart(start: SegmentStart): void {
    this.starts.push(start);
    this.segments.push([]);
    this.playlist.startSegment({
      programDateTimeMs: start.startTicks / 90,
      discontinuity: start.boundary.discontinuity,
      independent: start.independent,
      mapUri: `${this.name}-init-${this.inits.length - 1}.mp4`,
    });
  }

  onPart(part: Part): void {
    const bytes = Buffer.concat(part.buffers);
    this.bytes += bytes.byteLength;
    this.parts.push(bytes);
    this.segments.at(-1)?.push(bytes);
    this.playlist.appendPart(part);
  }

  onSegmentEnd(end: SegmentEnd): void {
    this.playlist.sealSegment(end.durationTicks);
  }

  onGap(gap: SegmentGap): void {
    this.segments.push([]);
    const { ticks, discontinuity } = gap.boundary;
    this.playlist.appendGapSegment({ programDateTimeMs: ticks / 90, discontinuity }, gap.durationTicks);
  }
}

/** Cuts tracks that arrive interleaved, video leading. */
export function packageUnits(units: readonly AccessUnit[]): PackagedTrack[] {
  const aligner = new SegmentAligner();
  const tracks = new Map<string, { readonly packaged: PackagedTrack; readonly segmenter: CmafSegmenter }>();
  const options = { targetDuration: TARGET_DURATION, partTarget: PART_TARGET };
  const kinds = [...new Set(units.map((unit) => unit.track.kind))].sort().reverse();
  for (const kind of kinds) {
    const packaged = new PackagedTrack(kind);
    tracks.set(kind, { packaged, segmenter: aligner.join({ ...options, mayLead: true }, packaged) });
  }
  for (const unit of units) {
    const track = tracks.get(unit.track.kind);
    if (track !== undefined) aligner.push(track.segmenter, unit);
  }
  aligner.flush();
  for (const { packaged } of tracks.values()) packaged.playlist.end();
  return [...tracks.values()].map(({ packaged }) => packaged);
}

/** A presentation as files: playlists, init segments, segments. Removed when disposed. */
export async function writePresentation(
  tracks: readonly PackagedTrack[],
): Promise<AsyncDisposable & { readonly folder: string; readonly manifest: string }> {
  const folder = await mkdtemp(join(tmpdir(), "klieg-cmaf-"));
  const write = (name: string, data: string | Uint8Array) => writeFile(join(folder, name), data);
  const seconds = (track: PackagedTrack) => track.starts.length * 2;
  for (const track of tracks) {
    await write(`${track.name}.mp4`, track.file);
    await write(`${track.name}.m3u8`, track.playlist.render());
    for (const [i, init] of track.inits.entries()) await write(`${track.name}-init-${i}.mp4`, init);
    for (const [msn, parts] of track.segments.entries()) await write(`${track.name}-${msn}.m4s`, Buffer.concat(parts));
    for (const [serial, part] of track.parts.entries()) await write(`${track.name}-part-${serial}.m4s`, part);
  }
  const bitrates = (track: PackagedTrack) => {
    const rate = Math.round((track.bytes * 8) / seconds(track));
    return { bandwidth: rate, averageBandwidth: rate };
  };
  const video = tracks.find((track) => track.track?.kind === "video");
  const audio = tracks.find((track) => track.track?.kind === "audio");
  const main = video ?? audio;
  if (main?.track === undefined) throw new Error("nothing was packaged");
  const codec = (track: PackagedTrack) => track.track?.codecString ?? "";
  await write(
    "main.m3u8",
    renderMultivariant({
      audio:
        video === undefined || audio === undefined
          ? []
          : [
              {
                groupId: "a",
                uri: "audio.m3u8",
                name: "Sound",
                isDefault: true,
                codec: codec(audio),
                ...bitrates(audio),
              },
            ],
      variants: [
        {
          uri: `${main.name}.m3u8`,
          codecs: [codec(main)],
          ...bitrates(main),
          ...(video !== undefined && audio !== undefined ? { audioGroup: "a" } : {}),
        },
      ],
    }),
  );
  return {
    folder,
    manifest: join(folder, "main.m3u8"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

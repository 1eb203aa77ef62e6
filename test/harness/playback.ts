import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import { type ReadPlaylist, readMultivariant, readPlaylist } from "./hls-follower.ts";

/** One rendition as a player would have loaded it: init segments and whole segments, in order. */
export interface LoadedRendition {
  readonly url: string;
  readonly playlist: ReadPlaylist;
  /** Init segment and the segments that use it; a new entry at every EXT-X-MAP. */
  readonly runs: { readonly init: Buffer; readonly segments: Buffer[] }[];
}

async function bytes(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Loads every whole segment that a media playlist names. */
export async function loadRendition(url: string): Promise<LoadedRendition> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const playlist = readPlaylist(await response.text());
  const runs: { map: string; init: Buffer; segments: Buffer[] }[] = [];
  for (const segment of playlist.segments) {
    if (segment.gap) continue;
    const map = segment.map ?? "";
    let run = runs.at(-1);
    if (run === undefined || run.map !== map) {
      run = { map, init: await bytes(new URL(map, url).href), segments: [] };
      runs.push(run);
    }
    run.segments.push(await bytes(new URL(segment.uri, url).href));
  }
  return { url, playlist, runs };
}

/** Every rendition of a stream, loaded. */
export async function loadStream(manifestUrl: string) {
  const response = await fetch(manifestUrl);
  if (!response.ok) throw new Error(`${manifestUrl}: ${response.status} ${await response.text()}`);
  const multivariant = readMultivariant(await response.text(), manifestUrl);
  const video = await Promise.all(multivariant.variants.map(({ url }) => loadRendition(url)));
  const audio = await Promise.all(multivariant.audio.map(({ url }) => loadRendition(url)));
  return { multivariant, video, audio };
}

export interface ProbedFrame {
  /** s */
  readonly pts: number;
  readonly keyframe: boolean;
}

export interface Probe {
  readonly codec: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly sampleRate: number | undefined;
  readonly channels: number | undefined;
  /** Frames a second by the container. */
  readonly frameRate: number | undefined;
  readonly packets: ProbedFrame[];
  /** What ffprobe and a full decode by ffmpeg complained of. */
  readonly complaints: string;
}

/**
 * What Debian's ffprobe and ffmpeg say of an init segment with segments: complaints are what a test expects none of.
 * @param run `variableRate`: whether frames come as they like, as from a browser: ffmpeg's own output must not count in frames then.
 */
export async function probe(run: { init: Buffer; segments: Buffer[]; variableRate?: boolean }): Promise<Probe> {
  const { variableRate = false } = run;
  const folder = await mkdtemp(join(tmpdir(), "klieg-probe-"));
  try {
    const file = join(folder, "media.mp4");
    await writeFile(file, Buffer.concat([run.init, ...run.segments]));
    await using prober = new Child("ffprobe", [
      ...["-v", "warning", "-show_streams", "-show_packets", "-of", "json=compact=1", file],
    ]);
    const timing = variableRate ? ["-fps_mode", "passthrough", "-enc_time_base", "-1"] : [];
    await using decoder = new Child("ffmpeg", ["-nostdin", "-v", "warning", "-i", file, ...timing, "-f", "null", "-"]);
    await Promise.all([prober.exited, decoder.exited]);
    const start = prober.lines.findIndex((line) => line.trimStart().startsWith("{"));
    const json = JSON.parse(
      prober.lines
        .slice(start)
        .filter((line) => !line.startsWith("["))
        .join("\n"),
    );
    const complaints = [...prober.lines.filter((line) => line.startsWith("[")), ...decoder.lines].join("\n");
    const stream = json.streams[0];
    const [numerator, denominator] = String(stream.r_frame_rate ?? "0/0")
      .split("/")
      .map(Number);
    return {
      codec: stream.codec_name,
      width: stream.width,
      height: stream.height,
      sampleRate: stream.sample_rate === undefined ? undefined : Number(stream.sample_rate),
      channels: stream.channels,
      frameRate: denominator ? (numerator ?? 0) / denominator : undefined,
      packets: json.packets.map((packet: { pts_time: string; flags: string }) => ({
        pts: Number(packet.pts_time),
        keyframe: packet.flags.startsWith("K"),
      })),
      complaints,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

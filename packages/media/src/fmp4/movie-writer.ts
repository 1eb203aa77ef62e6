import { type AccessUnit, type AudioTrack, TICKS_PER_SECOND, type Track, type VideoTrack } from "../access-unit.ts";
import { withParameterSets } from "../h264/parameter-sets.ts";
import { type ChunkSample, chunk } from "./chunk.ts";
import { movieHeader, timescaleOf } from "./init-segment.ts";

/** What a {@link MovieWriter} has made: to be written after all that came before, wholly or not at all. */
export interface MoviePiece {
  readonly bytes: readonly Uint8Array[];
  /** How long the file plays with it, ms. */
  readonly durationMs: number;
  /** Decode time of the keyframe that it begins with, in the picture's timescale; undefined where it begins with none. */
  readonly keyframeTime: number | undefined;
}

export interface MovieWriterOptions {
  /** No fragment holds more, whatever keyframes come, ms. Default 10 000. */
  readonly maxFragmentMs?: number;
}

const DEFAULT_MAX_FRAGMENT_MS = 10_000;
const VIDEO_ID = 1;
const AUDIO_ID = 2;

/**
 * Writes one file of a picture and its sound as a fragmented movie (14496-12 § 8.8) that can be played up to its last whole
 * fragment, wherever it ends. A fragment begins with a keyframe, unless the one before it was as long as it may be. Times begin at 0 with the first keyframe; what the
 * program was silent for stays a hole.
 */
export class MovieWriter {
  readonly #onPiece: (piece: MoviePiece) => void;
  readonly #tracks: readonly [VideoTrack] | readonly [VideoTrack, AudioTrack];
  readonly #maxFragmentTicks: number;
  readonly #video: AccessUnit[] = [];
  readonly #audio: AccessUnit[] = [];
  #track: Track;
  #zero: number | undefined;
  #sequence = 0;
  #writtenTicks = 0;

  /**
   * @param audio undefined for a silent movie: what comes of sound is passed over.
   * @param onPiece called synchronously; the header first.
   * @throws MediaError where a track's configuration is missing.
   */
  constructor(
    video: VideoTrack,
    audio: AudioTrack | undefined,
    onPiece: (piece: MoviePiece) => void,
    { maxFragmentMs = DEFAULT_MAX_FRAGMENT_MS }: MovieWriterOptions = {},
  ) {
    this.#onPiece = onPiece;
    this.#tracks = audio === undefined ? [video] : [video, audio];
    this.#maxFragmentTicks = (maxFragmentMs * TICKS_PER_SECOND) / 1000;
    this.#track = video;
    onPiece({ bytes: [movieHeader(this.#tracks)], durationMs: 0, keyframeTime: undefined });
  }

  /** Takes the next access unit, in decode order of its track; what comes before the first keyframe is passed over. */
  push(unit: AccessUnit): void {
    if (unit.track.kind === "audio") {
      const wanted = this.#tracks.length > 1 && this.#zero !== undefined && unit.dts >= this.#zero;
      if (wanted) this.#audio.push(unit);
      return;
    }
    const first = this.#video[0];
    if (first === undefined) {
      if (!unit.keyframe) return;
      this.#zero ??= unit.dts;
    } else if (unit.keyframe || unit.dts - first.dts >= this.#maxFragmentTicks) {
      this.#write(unit.dts);
    }
    this.#video.push(this.#described(unit));
  }

  /** Writes what has come since the last fragment began. */
  flush(): void {
    const last = this.#video.at(-1);
    const before = this.#video.at(-2);
    if (last === undefined) return;
    this.#write(last.dts + (before === undefined ? TICKS_PER_SECOND / 30 : last.dts - before.dts));
  }

  /** A picture whose configuration the header does not have carries it itself. */
  #described(unit: AccessUnit): AccessUnit {
    const { track } = unit;
    if (track.kind !== "video" || track.codec !== "h264") return unit;
    if (unit.keyframe) this.#track = track;
    if (!unit.keyframe || sameBytes(this.#track.config, this.#tracks[0].config)) return unit;
    return { ...unit, data: withParameterSets(track, unit.data) };
  }

  /** @param end where the last picture ends, ticks. */
  #write(end: number): void {
    const zero = this.#zero ?? 0;
    const first = this.#video[0];
    const keyframeTime =
      first?.keyframe === true
        ? Math.round(((first.dts - zero) * timescaleOf(this.#tracks[0])) / TICKS_PER_SECOND)
        : undefined;
    const bytes = [
      ...this.#fragment(VIDEO_ID, this.#video, zero, end),
      ...this.#fragment(AUDIO_ID, this.#audio, zero, undefined),
    ];
    this.#video.length = 0;
    this.#audio.length = 0;
    this.#writtenTicks = end - zero;
    const durationMs = Math.round((this.#writtenTicks * 1000) / TICKS_PER_SECOND);
    this.#onPiece({ bytes, durationMs, keyframeTime });
  }

  /** @param end of the last sample; where undefined it lasts as long as the one before it. */
  #fragment(trackId: number, units: readonly AccessUnit[], zero: number, end: number | undefined): Uint8Array[] {
    const first = units[0];
    if (first === undefined) return [];
    const timescale = timescaleOf(this.#tracks[trackId - 1] as Track);
    const scaled = (ticks: number) => Math.round((ticks * timescale) / TICKS_PER_SECOND);
    // One frame of AAC, until two are there to compare.
    let usual = 1024;
    const samples = units.map((unit, i): ChunkSample => {
      const next = units[i + 1]?.dts ?? end;
      const duration = next === undefined ? usual : scaled(next - zero) - scaled(unit.dts - zero);
      usual = duration;
      return {
        duration: Math.max(1, duration),
        compositionOffset: scaled(unit.pts - zero) - scaled(unit.dts - zero),
        keyframe: unit.keyframe,
        data: unit.data,
      };
    });
    this.#sequence += 1;
    return chunk({ sequence: this.#sequence, trackId, baseDecodeTime: scaled(first.dts - zero), samples });
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}

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
  readonly maxFragmentMs?: number | undefined;
  /** What is 0 in the file, ticks: what is earlier is passed over. Default: the first keyframe. */
  readonly zero?: number | undefined;
}

/** What a movie is made of: one of them at least. What comes of another kind is passed over. */
export interface MovieTracks {
  readonly video: VideoTrack | undefined;
  readonly audio: AudioTrack | undefined;
}

const DEFAULT_MAX_FRAGMENT_MS = 10_000;
/** `track_ID` of what fragments are cut by: the picture, or the sound where there is none. */
export const LEAD_TRACK_ID = 1;
const AUDIO_ID = 2;
/** How long a lone picture lasts, ticks. */
const USUAL_PICTURE = TICKS_PER_SECOND / 30;

/**
 * Writes one file of a picture, its sound or both as a fragmented movie (14496-12 § 8.8) that can be played up to its last
 * whole fragment, wherever it ends. A fragment begins with a keyframe, unless the one before it was as long as it may be.
 * What was silent for a time stays a hole.
 */
export class MovieWriter {
  readonly #onPiece: (piece: MoviePiece) => void;
  readonly #tracks: readonly [Track, ...Track[]];
  readonly #maxFragmentTicks: number;
  /** Of the first track, by which fragments are cut. */
  readonly #lead: AccessUnit[] = [];
  /** Sound beside a picture. */
  readonly #audio: AccessUnit[] = [];
  #track: Track;
  #zero: number | undefined;
  #sequence = 0;

  /**
   * @param onPiece called synchronously; the header first.
   * @throws MediaError where a track's configuration is missing. @throws RangeError where there is no track.
   */
  constructor(
    { video, audio }: MovieTracks,
    onPiece: (piece: MoviePiece) => void,
    { maxFragmentMs = DEFAULT_MAX_FRAGMENT_MS, zero }: MovieWriterOptions = {},
  ) {
    this.#onPiece = onPiece;
    const [lead, ...others] = [video, audio].filter((track) => track !== undefined);
    if (lead === undefined) throw new RangeError("a movie without tracks");
    this.#tracks = [lead, ...others];
    this.#maxFragmentTicks = (maxFragmentMs * TICKS_PER_SECOND) / 1000;
    this.#track = lead;
    this.#zero = zero;
    onPiece({ bytes: [movieHeader(this.#tracks)], durationMs: 0, keyframeTime: undefined });
  }

  /** What is 0 in the file, ticks; undefined where that is the first keyframe, which has not come. */
  get zero(): number | undefined {
    return this.#zero;
  }

  /** Takes the next access unit, in decode order of its track; what comes before the first keyframe is passed over. */
  push(unit: AccessUnit): void {
    const [{ kind }, ...others] = this.#tracks;
    if (unit.dts < (this.#zero ?? Number.NEGATIVE_INFINITY)) return;
    if (unit.track.kind !== kind) {
      if (others.length > 0 && this.#zero !== undefined) this.#audio.push(unit);
      return;
    }
    const first = this.#lead[0];
    const long = first !== undefined && unit.dts - first.dts >= this.#maxFragmentTicks;
    if (first === undefined) {
      if (!unit.keyframe) return;
      this.#zero ??= unit.dts;
    } else if (long || (kind === "video" && unit.keyframe)) {
      this.#write(unit.dts);
    }
    this.#lead.push(this.#described(unit));
  }

  /** Writes what has come since the last fragment began. */
  flush(): void {
    const last = this.#lead.at(-1);
    const before = this.#lead.at(-2);
    if (last === undefined) return;
    const alone = last.track.kind === "audio" ? (1024 * TICKS_PER_SECOND) / last.track.sampleRate : USUAL_PICTURE;
    this.#write(last.dts + (before === undefined ? alone : last.dts - before.dts));
  }

  /** A picture whose configuration the header does not have carries it itself. */
  #described(unit: AccessUnit): AccessUnit {
    const { track } = unit;
    if (track.kind !== "video" || track.codec !== "h264") return unit;
    if (unit.keyframe) this.#track = track;
    if (!unit.keyframe || sameBytes(this.#track.config, this.#tracks[0].config)) return unit;
    return { ...unit, data: withParameterSets(track, unit.data) };
  }

  /** @param end where the last of the lead ends, ticks. */
  #write(end: number): void {
    const zero = this.#zero ?? 0;
    const first = this.#lead[0];
    const keyframeTime =
      first?.keyframe === true
        ? Math.round(((first.dts - zero) * timescaleOf(this.#tracks[0])) / TICKS_PER_SECOND)
        : undefined;
    const bytes = [
      ...this.#fragment(LEAD_TRACK_ID, this.#lead, zero, end),
      ...this.#fragment(AUDIO_ID, this.#audio, zero, undefined),
    ];
    this.#lead.length = 0;
    this.#audio.length = 0;
    const durationMs = Math.round(((end - zero) * 1000) / TICKS_PER_SECOND);
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

import type { Rung } from "@klieg/ffmpeg";
import { type AccessUnit, TICKS_PER_SECOND, type Track } from "@klieg/media";

/** One rendition that a transcoder makes. */
export interface TranscodedRendition {
  /** `720p` and the like; `audio`. */
  readonly name: string;
  readonly kind: "video" | "audio";
  /** FFmpeg's name of the encoder that makes it. */
  readonly encoder: string;
  /** Highest average bit rate, bits/s. */
  readonly bitrate: number;
  /** Undefined for audio. */
  readonly rung: Rung | undefined;
}

interface RenditionState {
  track: Track | undefined;
  /** Newest presentation time of its pictures. */
  lastPts: number | undefined;
  lastDts: number | undefined;
  /** Which stretch of the timeline it is on. */
  stretch: number | undefined;
  /** It cannot go on before a keyframe of the source. */
  waiting: boolean;
}

/** A rendition's next frame of sound may begin this much before the last one's end. */
const SOUND_OVERLAP = TICKS_PER_SECOND / 100;
const KEYFRAMES_KEPT = 256;

/**
 * Joins what one FFmpeg after another makes of a source into renditions without seam: nothing twice, the same track
 * for the same configuration, and keyframes only where the source has its own (an encoder that takes over within a GOP
 * has to begin with one; it is decodable there, but no segment may begin at it).
 */
export class RenditionStitcher {
  readonly #emit: (rendition: TranscodedRendition, unit: AccessUnit) => void;
  readonly #states = new Map<string, RenditionState>();
  readonly #keyframes = new Set<number>();
  #lastVideoPts: number | undefined;

  constructor(emit: (rendition: TranscodedRendition, unit: AccessUnit) => void) {
    this.#emit = emit;
  }

  /** Newest presentation time of any video rendition, 90 kHz ticks. */
  get lastVideoPts(): number | undefined {
    return this.#lastVideoPts;
  }

  /**
   * Newest presentation time of the video renditions of those names, 90 kHz ticks. FFmpeg is not equally far with all:
   * what goes on without the one that was ahead goes on from where it was itself.
   */
  lastVideoPtsOf(names: readonly string[]): number | undefined {
    let last: number | undefined;
    for (const name of names) {
      const pts = this.#states.get(name)?.lastPts;
      if (pts !== undefined && (last === undefined || pts > last)) last = pts;
    }
    return last;
  }

  /** The source has a keyframe there. */
  noteKeyframe(pts: number): void {
    this.#keyframes.add(pts);
    if (this.#keyframes.size <= KEYFRAMES_KEPT) return;
    for (const oldest of this.#keyframes) {
      this.#keyframes.delete(oldest);
      break;
    }
  }

  /**
   * @param stretch number of the stretch of the timeline that the unit is on; a new one begins where the timeline breaks.
   * @param ownKeyframes whether the rendition's keyframes need not be the source's.
   */
  push(rendition: TranscodedRendition, unit: AccessUnit, stretch: number, ownKeyframes = false): void {
    const state = this.#state(rendition.name);
    if (state.lastDts !== undefined && unit.dts <= state.lastDts) return;
    const video = unit.track.kind === "video";
    const keyframe = video ? unit.keyframe && (ownKeyframes || this.#keyframes.has(unit.pts)) : true;
    const overlap =
      !video && state.lastDts !== undefined && unit.dts < state.lastDts + soundTicks(unit) - SOUND_OVERLAP;
    if (overlap) return;
    if (state.track === undefined || !sameTrack(state.track, unit.track)) {
      // Another configuration can only be used from a keyframe on, where a segment begins.
      if (video && !keyframe) {
        state.waiting = true;
        return;
      }
      state.track = unit.track;
    }
    if (state.waiting && !keyframe) return;
    state.waiting = false;
    state.lastDts = unit.dts;
    if (video) state.lastPts = Math.max(state.lastPts ?? unit.pts, unit.pts);
    if (video) this.#lastVideoPts = Math.max(this.#lastVideoPts ?? unit.pts, unit.pts);
    const { track } = state;
    const { dts, pts, data } = unit;
    const discontinuity = state.stretch !== undefined && state.stretch !== stretch;
    state.stretch = stretch;
    this.#emit(rendition, { track, dts, pts, keyframe, data, ...(discontinuity && { discontinuity }) });
  }

  #state(name: string): RenditionState {
    let state = this.#states.get(name);
    if (state === undefined) {
      state = { track: undefined, lastPts: undefined, lastDts: undefined, stretch: undefined, waiting: false };
      this.#states.set(name, state);
    }
    return state;
  }
}

/** How long an AAC frame lasts. */
function soundTicks(unit: AccessUnit): number {
  return unit.track.kind === "audio" ? (1024 * TICKS_PER_SECOND) / unit.track.sampleRate : 0;
}

function sameTrack(a: Track, b: Track): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.codec !== b.codec || Buffer.compare(a.config, b.config) !== 0) return false;
  return a.kind !== "video" || b.kind !== "video" || a.frameRate === b.frameRate;
}

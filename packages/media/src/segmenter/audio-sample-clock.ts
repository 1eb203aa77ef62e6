import { TICKS_PER_SECOND } from "../access-unit.ts";

/** Where a frame of sound stands on its track's timeline, in samples. */
export interface SamplePlacement {
  readonly start: number;
  /** The timestamps left the count of samples by too much: there is a hole or an overlap before this frame. */
  readonly jumped: boolean;
}

/** A deviation this small is never taken for a jump, however short the frames: timestamps may be whole milliseconds. */
const JITTER_MS = 2;
/** Deviations are averaged over about this many frames. */
const AVERAGE_FRAMES = 32;
/** An average deviation of more than this is drift, which is followed. */
const DRIFT_MS = 1;

/**
 * Turns 90 kHz timestamps of sound frames into positions in samples, free of gaps.
 *
 * Positions count samples from an anchor, the first frame's timestamp, so that frames follow on one another exactly
 * although their timestamps are rounded (44.1 kHz AAC frames last 2089.8 ticks; RTMP knows whole milliseconds). The
 * timestamps are only compared with the count:
 * - a deviation of over half a frame (at least 2 ms) is a hole or an overlap: the frame is anchored anew;
 * - an average deviation of over 1 ms means that the sender's clock and its sample rate drift apart: each frame is
 *   then moved by one sample until the two agree, which no listener or player notices (at most one in a thousand).
 */
export class AudioSampleClock {
  readonly #sampleRate: number;
  #next: number | undefined;
  #start = -1;
  #average = 0;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /**
   * @param dts 90 kHz ticks.
   * @param frameSamples samples that the frame lasts.
   */
  place(dts: number, frameSamples: number): SamplePlacement {
    const position = (dts * this.#sampleRate) / TICKS_PER_SECOND;
    const expected = this.#next;
    let start: number;
    let jumped = false;
    if (expected === undefined) {
      start = Math.round(position);
    } else {
      const deviation = position - expected;
      const tolerance = Math.max(frameSamples / 2, (JITTER_MS * this.#sampleRate) / 1000);
      if (Math.abs(deviation) > tolerance) {
        start = Math.round(position);
        jumped = true;
        this.#average = 0;
      } else {
        this.#average += (deviation - this.#average) / AVERAGE_FRAMES;
        const step = Math.abs(this.#average) > (DRIFT_MS * this.#sampleRate) / 1000 ? Math.sign(this.#average) : 0;
        start = expected + step;
        this.#average -= step;
      }
    }
    // Decode times must rise, whatever the timestamps do.
    start = Math.max(start, this.#start + 1);
    this.#start = start;
    this.#next = start + frameSamples;
    return { start, jumped };
  }

  /** Anchors the next frame anew: the timeline broke. */
  reset(): void {
    this.#next = undefined;
    this.#average = 0;
  }
}

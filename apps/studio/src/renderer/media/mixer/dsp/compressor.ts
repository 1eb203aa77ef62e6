import type { AudioFilter } from "../../../../document/filter.ts";
import { decibelOf, gainOf } from "./decibel.ts";
import { SlidingMaximum } from "./sliding-maximum.ts";
import { SAMPLE_RATE, type SoundProcessor, samplesOf } from "./sound-processor.ts";

export type CompressorSettings = Omit<Extract<AudioFilter, { kind: "compressor" }>, "id" | "enabled" | "kind">;

/** Over how long it takes the peak, ms: half a period of the lowest voice, so that the gain does not follow the wave. */
const WINDOW = 10;

/**
 * Turns down what exceeds a threshold by a ratio, with a knee about the threshold (Giannoulis, Massberg and Reiss, "Digital
 * Dynamic Range Compressor Design", 2012: the feed-forward design, smoothed in decibels). Both channels alike.
 */
export class Compressor implements SoundProcessor {
  readonly latency = 0;
  readonly #peaks = new SlidingMaximum(samplesOf(WINDOW));
  #threshold = 0;
  #slope = 0;
  #knee = 0;
  #attack = 0;
  #release = 0;
  #makeup = 1;
  #reduction = 0;
  #lastPeak = 0;
  #lastWanted = 0;

  constructor(settings: CompressorSettings) {
    this.set(settings);
  }

  set({ threshold, ratio, knee, attack, release, makeup }: CompressorSettings): void {
    this.#threshold = threshold;
    this.#slope = 1 - 1 / ratio;
    this.#knee = knee;
    this.#attack = smoothing(attack);
    this.#release = smoothing(release);
    this.#makeup = gainOf(makeup);
    this.#lastPeak = -1;
  }

  get reductionDb(): number {
    return this.#reduction;
  }

  process(left: Float32Array, right: Float32Array): void {
    for (let i = 0; i < left.length; i += 1) {
      const l = left[i] as number;
      const r = right[i] as number;
      const peak = this.#peaks.push(Math.max(Math.abs(l), Math.abs(r)));
      // The highest of a window stays the same for many samples: the logarithm is only needed when it changes.
      if (peak !== this.#lastPeak) {
        this.#lastPeak = peak;
        this.#lastWanted = this.#wanted(decibelOf(peak));
      }
      const wanted = this.#lastWanted;
      const coefficient = wanted > this.#reduction ? this.#attack : this.#release;
      this.#reduction = wanted + (this.#reduction - wanted) * coefficient;
      const gain = this.#reduction > 0.001 ? this.#makeup * gainOf(-this.#reduction) : this.#makeup;
      left[i] = l * gain;
      right[i] = r * gain;
    }
  }

  /** dB to take away at a level, dBFS. */
  #wanted(level: number): number {
    const over = level - this.#threshold;
    if (2 * over <= -this.#knee) return 0;
    if (2 * over >= this.#knee) return over * this.#slope;
    return (this.#slope * (over + this.#knee / 2) ** 2) / (2 * this.#knee);
  }
}

/** What is left of the distance to where it goes after a sample, for a time constant in ms. */
function smoothing(ms: number): number {
  return ms === 0 ? 0 : Math.exp(-1000 / (ms * SAMPLE_RATE));
}

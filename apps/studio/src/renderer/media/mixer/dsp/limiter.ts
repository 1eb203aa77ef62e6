import type { AudioFilter } from "../../../../document/filter.ts";
import { decibelOf, gainOf } from "./decibel.ts";
import { SlidingMaximum } from "./sliding-maximum.ts";
import { SAMPLE_RATE, type SoundProcessor, samplesOf } from "./sound-processor.ts";

export type LimiterSettings = Pick<Extract<AudioFilter, { kind: "limiter" }>, "ceiling" | "release">;

/** How far it looks ahead, ms: as long as its gain takes to go down. */
const LOOK_AHEAD = 5;

/**
 * Lets no sample exceed its ceiling, both channels turned down alike so that the image stays where it is. The gain that a
 * peak needs is held for the length of the look-ahead and then averaged over the same length: so it is reached, along a
 * straight line, when the peak leaves the delay.
 */
export class Limiter implements SoundProcessor {
  readonly latency = samplesOf(LOOK_AHEAD) - 1;
  readonly #peaks = new SlidingMaximum(samplesOf(LOOK_AHEAD));
  readonly #gains = new Float64Array(samplesOf(LOOK_AHEAD)).fill(1);
  readonly #left = new Float32Array(samplesOf(LOOK_AHEAD));
  readonly #right = new Float32Array(samplesOf(LOOK_AHEAD));
  #position = 0;
  #envelope = 1;
  #ceiling = 1;
  #recovery = 0;
  #lowest = 1;

  constructor(settings: LimiterSettings) {
    this.set(settings);
  }

  set({ ceiling, release }: LimiterSettings): void {
    this.#ceiling = gainOf(ceiling);
    this.#recovery = 1 - Math.exp(-1000 / (release * SAMPLE_RATE));
  }

  get reductionDb(): number {
    return Math.max(0, -decibelOf(this.#lowest));
  }

  process(left: Float32Array, right: Float32Array): void {
    const length = this.#gains.length;
    const ceiling = this.#ceiling;
    // Summed anew for each block, so that errors of rounding do not gather over the hours.
    let sum = 0;
    for (let i = 0; i < length; i += 1) sum += this.#gains[i] as number;
    let envelope = this.#envelope;
    let position = this.#position;
    let lowest = 1;
    for (let i = 0; i < left.length; i += 1) {
      const l = left[i] as number;
      const r = right[i] as number;
      const peak = this.#peaks.push(Math.max(Math.abs(l), Math.abs(r)));
      const needed = peak > ceiling ? ceiling / peak : 1;
      envelope = Math.min(needed, envelope + (1 - envelope) * this.#recovery);
      sum += envelope - (this.#gains[position] as number);
      this.#gains[position] = envelope;
      this.#left[position] = l;
      this.#right[position] = r;
      position = position + 1 === length ? 0 : position + 1;
      const gain = sum / length;
      if (gain < lowest) lowest = gain;
      // The clamp takes away what rounding leaves above the ceiling, and a ceiling that was lowered a moment ago.
      left[i] = clamp((this.#left[position] as number) * gain, ceiling);
      right[i] = clamp((this.#right[position] as number) * gain, ceiling);
    }
    this.#envelope = envelope;
    this.#position = position;
    this.#lowest = lowest;
  }
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}

import type { AudioFilter } from "../../../../document/filter.ts";
import { gainOf } from "./decibel.ts";
import { SlidingMaximum } from "./sliding-maximum.ts";
import { type SoundProcessor, samplesOf } from "./sound-processor.ts";

export type GateSettings = Omit<Extract<AudioFilter, { kind: "gate" }>, "id" | "enabled" | "kind">;

/** Over how long it takes the peak, ms: half a period of the lowest voice, so that it does not close in between. */
const WINDOW = 10;

/** Lets sound through while it is loud: opens above one level, closes below another that may be lower, after a hold. */
export class Gate implements SoundProcessor {
  readonly latency = 0;
  readonly #peaks = new SlidingMaximum(samplesOf(WINDOW));
  #openAt = 0;
  #closeAt = 0;
  #rise = 1;
  #fall = 1;
  #hold = 0;
  #open = false;
  #held = 0;
  #gain = 0;

  constructor(settings: GateSettings) {
    this.set(settings);
  }

  set({ open_at, close_at, attack, hold, release }: GateSettings): void {
    this.#openAt = gainOf(open_at);
    // One that closes above where it opens would flutter.
    this.#closeAt = gainOf(Math.min(open_at, close_at));
    this.#rise = 1 / Math.max(1, samplesOf(attack));
    this.#fall = 1 / Math.max(1, samplesOf(release));
    this.#hold = samplesOf(hold);
  }

  get reductionDb(): number {
    return this.#gain > 1e-6 ? -20 * Math.log10(this.#gain) : 120;
  }

  process(left: Float32Array, right: Float32Array): void {
    for (let i = 0; i < left.length; i += 1) {
      const l = left[i] as number;
      const r = right[i] as number;
      const peak = this.#peaks.push(Math.max(Math.abs(l), Math.abs(r)));
      if (peak > this.#openAt) this.#open = true;
      if (peak >= this.#closeAt) this.#held = this.#hold;
      else if (this.#held > 0) this.#held -= 1;
      else this.#open = false;
      this.#gain = this.#open ? Math.min(1, this.#gain + this.#rise) : Math.max(0, this.#gain - this.#fall);
      left[i] = l * this.#gain;
      right[i] = r * this.#gain;
    }
  }
}

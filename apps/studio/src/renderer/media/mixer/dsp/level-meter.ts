import { decibelOf } from "./decibel.ts";
import { SAMPLE_RATE } from "./sound-processor.ts";

/** The time constant of the root mean square, s. */
const RMS_TIME = 0.3;

/** Peak and root mean square of stereo sound; the louder channel of the two. */
export class LevelMeter {
  #peak = 0;
  #left = 0;
  #right = 0;

  measure(left: Float32Array, right: Float32Array): void {
    const keep = Math.exp(-left.length / (RMS_TIME * SAMPLE_RATE));
    let sumLeft = 0;
    let sumRight = 0;
    for (let i = 0; i < left.length; i += 1) {
      const l = left[i] as number;
      const r = right[i] as number;
      const peak = Math.max(Math.abs(l), Math.abs(r));
      if (peak > this.#peak) this.#peak = peak;
      sumLeft += l * l;
      sumRight += r * r;
    }
    if (left.length === 0) return;
    this.#left = keep * this.#left + ((1 - keep) * sumLeft) / left.length;
    this.#right = keep * this.#right + ((1 - keep) * sumRight) / right.length;
  }

  /** The highest sample since it was last asked, dBFS. */
  takePeakDb(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return decibelOf(peak);
  }

  get rmsDb(): number {
    return decibelOf(Math.sqrt(Math.max(this.#left, this.#right)));
  }
}

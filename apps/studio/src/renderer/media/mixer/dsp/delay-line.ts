import { SAMPLE_RATE, type SoundProcessor, samplesOf } from "./sound-processor.ts";

/** How long the change from one delay to another fades, samples: a jump would be a click. */
const FADE = 480;

/** Makes sound come later, up to 5 s. It holds memory only once there is a delay. */
export class DelayLine implements SoundProcessor {
  readonly reductionDb = 0;
  #left = new Float32Array(0);
  #right = new Float32Array(0);
  #position = 0;
  #delay = 0;
  #previous = 0;
  #fade = FADE;

  get latency(): number {
    return this.#delay;
  }

  /** @param ms 0 to 5000. @param smooth whether the change is faded. */
  set(ms: number, smooth: boolean): void {
    const delay = Math.min(samplesOf(ms), 5 * SAMPLE_RATE);
    if (delay === this.#delay) return;
    if (this.#left.length === 0) {
      this.#left = new Float32Array(5 * SAMPLE_RATE + 1);
      this.#right = new Float32Array(5 * SAMPLE_RATE + 1);
    }
    this.#previous = this.#delay;
    this.#delay = delay;
    this.#fade = smooth ? 0 : FADE;
  }

  process(left: Float32Array, right: Float32Array): void {
    const size = this.#left.length;
    if (size === 0) return;
    for (let i = 0; i < left.length; i += 1) {
      const at = this.#position;
      this.#left[at] = left[i] as number;
      this.#right[at] = right[i] as number;
      const now = (at - this.#delay + size) % size;
      let l = this.#left[now] as number;
      let r = this.#right[now] as number;
      if (this.#fade < FADE) {
        const share = this.#fade / FADE;
        const before = (at - this.#previous + size) % size;
        l = l * share + (this.#left[before] as number) * (1 - share);
        r = r * share + (this.#right[before] as number) * (1 - share);
        this.#fade += 1;
      }
      left[i] = l;
      right[i] = r;
      this.#position = at + 1 === size ? 0 : at + 1;
    }
  }
}

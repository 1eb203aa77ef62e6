import { TICKS_PER_SECOND } from "@klieg/media";

interface Sample {
  readonly at: number;
  readonly input: number;
  readonly output: number;
}

/** How fast media goes in and comes out, over a window of wall-clock time. */
export class SpeedMeter {
  readonly #windowMs: number;
  readonly #samples: Sample[] = [];

  /** @param windowMs length of the window. Default 5 s. */
  constructor(windowMs = 5000) {
    this.#windowMs = windowMs;
  }

  /**
   * Notes how far both sides have come.
   * @param now ms.
   * @param input newest presentation time that went in, 90 kHz ticks.
   * @param output newest presentation time that came out.
   */
  note(now: number, input: number, output: number): void {
    this.#samples.push({ at: now, input, output });
    // One sample from before the window stays: the window is to be whole.
    while (this.#samples.length > 2 && now - (this.#samples[1] as Sample).at >= this.#windowMs) this.#samples.shift();
  }

  /** Whether the whole window has been seen. */
  get settled(): boolean {
    return this.#spanMs >= this.#windowMs;
  }

  /** Media seconds that came out per second; undefined before a second has been seen. */
  get speed(): number | undefined {
    return this.#rate("output");
  }

  /** Media seconds that went in per second. */
  get inputSpeed(): number | undefined {
    return this.#rate("input");
  }

  reset(): void {
    this.#samples.length = 0;
  }

  get #spanMs(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    return first === undefined || last === undefined ? 0 : last.at - first.at;
  }

  #rate(side: "input" | "output"): number | undefined {
    const span = this.#spanMs;
    if (span < 1000) return undefined;
    const ticks = (this.#samples.at(-1) as Sample)[side] - (this.#samples[0] as Sample)[side];
    return ticks / TICKS_PER_SECOND / (span / 1000);
  }
}

import { TICKS_PER_SECOND } from "@klieg/media";

interface Sample {
  readonly at: number;
  readonly input: number;
  readonly output: number;
}

const AT_ITS_WORST = 0.95;

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

  /**
   * Whether the output has been at least `lag` ticks behind for the last `forMs`, and never much further than now: one
   * that was held up and catches up is not falling behind.
   */
  isFallingBehind(lag: number, forMs: number): boolean {
    const now = this.#samples.at(-1);
    if (now === undefined) return false;
    const since = this.#samples.findLast(({ at }) => now.at - at >= forMs);
    if (since === undefined) return false;
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    for (const { at, input, output } of this.#samples) {
      if (at < since.at) continue;
      least = Math.min(least, input - output);
      most = Math.max(most, input - output);
    }
    return least >= lag && now.input - now.output >= most * AT_ITS_WORST;
  }

  /** Media seconds that came out per second; undefined before a second has been seen. */
  get speed(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 1000) return undefined;
    return (last.output - first.output) / TICKS_PER_SECOND / ((last.at - first.at) / 1000);
  }

  reset(): void {
    this.#samples.length = 0;
  }
}

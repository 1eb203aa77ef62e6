/** How long what jitter asks for may become, ms. */
const LONGEST_DELAY_MS = 1500;
/** Jitter of so long a time decides on the delay, ms. */
const WINDOW_MS = 10_000;
/** A delay that is so much longer than needed is made shorter, ms. */
const SPARE_MS = 60;
/** What comes so much sooner than anything before it belongs to another timeline, as what comes later than is ever waited for, ms. */
const BREAK_MS = 3500;

/**
 * When a coded frame of a live source is due: media that come in bursts are shown at the pace at which they were taken. The delay
 * that this costs follows what the network does.
 */
export class PlayoutClock {
  readonly #leastDelayMs: number;
  /** Arrival minus timestamp of the frame that came soonest, ms; it is what all others are held against. */
  #fastest: number | undefined;
  #delayMs: number;
  #windowEnd = 0;
  /** In this window: the soonest, and by how much frames came later than the soonest. */
  #windowFastest = Infinity;
  #windowLatest = 0;

  /** @param leastDelayMs what is kept in hand at any rate. */
  constructor(leastDelayMs: number) {
    this.#leastDelayMs = leastDelayMs;
    this.#delayMs = leastDelayMs;
  }

  /** By how much frames are held back now, behind the one that came soonest, ms. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** What comes next begins another timeline. */
  reset(): void {
    this.#fastest = undefined;
  }

  /**
   * A frame has come.
   * @param timestampMs its own; where the timeline begins does not matter.
   * @param now monotonic, ms.
   * @returns whether it belongs to another timeline than those before it.
   */
  arrived(timestampMs: number, now: number): boolean {
    const transit = now - timestampMs;
    const late = transit - (this.#fastest ?? 0);
    if (this.#fastest === undefined || late < -BREAK_MS || late > LONGEST_DELAY_MS) {
      const broke = this.#fastest !== undefined;
      this.#fastest = transit;
      this.#delayMs = this.#leastDelayMs;
      this.#beginWindow(now);
      return broke;
    }
    this.#fastest = Math.min(this.#fastest, transit);
    this.#windowFastest = Math.min(this.#windowFastest, transit);
    this.#windowLatest = Math.max(this.#windowLatest, late);
    if (late > this.#delayMs) this.#delayMs = Math.min(LONGEST_DELAY_MS, late + this.#leastDelayMs / 2);
    if (now >= this.#windowEnd) this.#endWindow(now);
    return false;
  }

  /** When a frame is due, monotonic, ms; undefined before any has come. */
  dueAt(timestampMs: number): number | undefined {
    return this.#fastest === undefined ? undefined : this.#fastest + timestampMs + this.#delayMs;
  }

  #endWindow(now: number): void {
    // The source's clock may be slower than this one: then even the soonest come later and later.
    const drift = this.#windowFastest - (this.#fastest as number);
    this.#fastest = this.#windowFastest;
    const needed = Math.max(this.#leastDelayMs, this.#windowLatest - drift + this.#leastDelayMs / 2);
    if (this.#delayMs - needed > SPARE_MS) this.#delayMs = needed;
    this.#beginWindow(now);
  }

  #beginWindow(now: number): void {
    this.#windowEnd = now + WINDOW_MS;
    this.#windowFastest = Infinity;
    this.#windowLatest = 0;
  }
}

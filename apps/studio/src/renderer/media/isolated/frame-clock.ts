/** Frames of how many the one that came earliest tells the time: others were late because a thread was. */
const WINDOW = 60;
/** A track whose timestamps are off by more has begun anew, µs. */
const JUMP = 1_000_000;

/**
 * Puts the frames of a track, whose timestamps begin anywhere and jitter little, on the program's clock, on which their arrival
 * jitters a lot.
 */
export class FrameClock {
  readonly #offsets: number[] = [];
  #last = Number.NEGATIVE_INFINITY;

  /**
   * @param timestamp of the frame, µs.
   * @param arrived when it came, µs on the program's clock.
   * @returns when it was there, µs on the program's clock; later than the frame before.
   */
  place(timestamp: number, arrived: number): number {
    const offset = arrived - timestamp;
    if (Math.abs(offset - (this.#offsets.at(-1) ?? offset)) > JUMP) this.#offsets.length = 0;
    this.#offsets.push(offset);
    if (this.#offsets.length > WINDOW) this.#offsets.shift();
    this.#last = Math.max(this.#last + 1, Math.round(timestamp + Math.min(...this.#offsets)));
    return this.#last;
  }

  /** A picture is shown again. @param now µs on the program's clock. @returns as {@link place}. */
  repeat(now: number): number {
    this.#last = Math.max(this.#last + 1, Math.round(now));
    return this.#last;
  }
}

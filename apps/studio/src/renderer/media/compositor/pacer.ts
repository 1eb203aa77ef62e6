import type { ProgramClock } from "../program-clock.ts";

/** No timer waits longer: a clock that jumped is noticed. ms. */
const LONGEST_WAIT_MS = 100;

/**
 * Calls for a picture at every multiple of the frame interval on the program clock, so that timestamps are even however
 * unevenly the thread is woken. A dedicated worker's timers keep their pace while the window is hidden.
 */
export class Pacer implements Disposable {
  readonly #clock: ProgramClock;
  readonly #onPicture: (timestamp: number, missed: number) => void;
  #frameRate: number;
  #last = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param onPicture told the picture's timestamp, µs, and how many before it came too late to be drawn. */
  constructor(clock: ProgramClock, frameRate: number, onPicture: (timestamp: number, missed: number) => void) {
    this.#clock = clock;
    this.#frameRate = frameRate;
    this.#onPicture = onPicture;
    this.#last = Math.floor(this.#position());
    this.#wait();
  }

  set frameRate(frameRate: number) {
    if (frameRate === this.#frameRate) return;
    this.#frameRate = frameRate;
    this.#last = Math.floor(this.#position());
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Which picture is due now, with its fraction. */
  #position(): number {
    return (this.#clock.now() * this.#frameRate) / 1_000_000;
  }

  #wait(): void {
    const ms = ((this.#last + 1 - this.#position()) * 1000) / this.#frameRate;
    this.#timer = setTimeout(() => this.#wake(), Math.min(LONGEST_WAIT_MS, Math.max(0, ms)));
  }

  #wake(): void {
    // Timers may be early by a fraction of a ms.
    const due = Math.floor(this.#position() + 0.02);
    if (due > this.#last) {
      const missed = due - this.#last - 1;
      this.#last = due;
      this.#onPicture(Math.round((due * 1_000_000) / this.#frameRate), missed);
    }
    if (!this.#closed) this.#wait();
  }
}

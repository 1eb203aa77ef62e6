const WINDOW = 1_000_000;

/** Bits a second over the last whole second. */
export class RateMeter {
  #bytes = 0;
  #since = -1;
  #rate = 0;

  add(bytes: number, now: number): void {
    if (this.#since < 0) this.#since = now;
    else if (now - this.#since >= WINDOW) this.#turn(now);
    this.#bytes += bytes;
  }

  bitsPerSecond(now: number): number {
    if (this.#since >= 0 && now - this.#since >= WINDOW) this.#turn(now);
    return this.#rate;
  }

  #turn(now: number): void {
    this.#rate = (this.#bytes * 8e6) / (now - this.#since);
    this.#bytes = 0;
    this.#since = now;
  }
}

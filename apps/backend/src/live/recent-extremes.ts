const BUCKET_MS = 500;
const BUCKETS = 7;

/** The least and the greatest of the values of the last three seconds, kept by the half second. */
export class RecentExtremes {
  readonly #least = new Float64Array(BUCKETS).fill(Number.POSITIVE_INFINITY);
  readonly #greatest = new Float64Array(BUCKETS).fill(Number.NEGATIVE_INFINITY);
  #bucket = 0;

  /** `Infinity` where there was none. */
  get least(): number {
    return Math.min(...this.#least);
  }

  /** `-Infinity` where there was none. */
  get greatest(): number {
    return Math.max(...this.#greatest);
  }

  /** @param now monotonic, ms. */
  add(value: number, now: number): void {
    this.turnTo(now);
    const at = this.#bucket % BUCKETS;
    this.#least[at] = Math.min(this.#least[at] as number, value);
    this.#greatest[at] = Math.max(this.#greatest[at] as number, value);
  }

  /** Forgets what is too long ago. */
  turnTo(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS);
    const steps = Math.min(BUCKETS, bucket - this.#bucket);
    for (let step = 1; step <= steps; step += 1) {
      const at = (bucket - steps + step) % BUCKETS;
      this.#least[at] = Number.POSITIVE_INFINITY;
      this.#greatest[at] = Number.NEGATIVE_INFINITY;
    }
    if (steps > 0) this.#bucket = bucket;
  }
}

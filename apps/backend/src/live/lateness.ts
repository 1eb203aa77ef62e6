const BUCKET_MS = 500;
const BUCKETS = 7;

/**
 * How late the media of one kind have come in the last seconds, by the half second: what is usual, whatever else happens
 * once. Encoders that send sound in bursts are as late as their last packet of each burst; a machine that is held up for
 * a moment is not late because of that.
 */
export class Lateness {
  readonly #least = new Float64Array(BUCKETS).fill(Number.POSITIVE_INFINITY);
  readonly #greatest = new Float64Array(BUCKETS).fill(Number.NEGATIVE_INFINITY);
  #bucket = 0;

  /** How early the earliest come; undefined where nothing came. */
  get least(): number | undefined {
    return median(this.#least);
  }

  /** How late the latest come; undefined where nothing came. */
  get greatest(): number | undefined {
    return median(this.#greatest);
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

  /** As another has seen it, as though that had come evenly. @param more ms to be added to what came latest. */
  begin(other: Lateness, more: number): void {
    const { least, greatest } = other;
    if (least === undefined || greatest === undefined) return;
    this.#least.fill(least);
    this.#greatest.fill(greatest + more);
    this.#bucket = other.#bucket;
  }
}

/** The lower of the two in the middle, of those that are there. */
function median(values: Float64Array): number | undefined {
  const there = values.filter(Number.isFinite).sort();
  return there[(there.length - 1) >> 1];
}

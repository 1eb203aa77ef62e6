/** Addresses remembered; the one that was quiet longest goes first. */
const MAX_ADDRESSES = 4096;

/** A token bucket per address, for handshakes that have proved where they come from. */
export class HandshakeLimiter {
  readonly #perMinute: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @param perMinute handshakes a minute that one address may begin; `burst` of them at once */
  constructor(perMinute: number, burst: number) {
    this.#perMinute = perMinute;
    this.#burst = burst;
  }

  /** @returns whether `address` may begin another handshake at `nowMicros`. */
  take(address: string, nowMicros: number): boolean {
    const bucket = this.#buckets.get(address) ?? { tokens: this.#burst, at: nowMicros };
    // Re-inserted, so that the map stays in order of use.
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > MAX_ADDRESSES) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((nowMicros - bucket.at) / 60e6) * this.#perMinute);
    bucket.at = nowMicros;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

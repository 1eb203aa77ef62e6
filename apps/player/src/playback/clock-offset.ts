const USEFUL_UNCERTAINTY_MS = 400;
/** A day; beyond that a timestamp is wrong rather than old. */
const LONGEST_SECONDS = 86_400;

/**
 * Learns how far the server's clock is from this device's, from the `Date` header of ordinary answers (RFC 9110 §6.6.1).
 *
 * The header has whole seconds, so one answer only bounds the offset: the server's clock stood somewhere in `[date, date + 1 s)` at
 * some moment between sending the request and receiving the answer. Bounds of several answers intersect, and after a handful the
 * offset is known to a fraction of a second. Without this, latency by PROGRAM-DATE-TIME is nonsense on a device with a wrong clock.
 */
export class ClockOffset {
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;

  /** All in ms since the epoch; `sentAt` and `receivedAt` by this device's clock. */
  observe(serverDate: number, sentAt: number, receivedAt: number): void {
    if (!Number.isFinite(serverDate) || receivedAt < sentAt) return;
    const low = serverDate - receivedAt;
    const high = serverDate + 1000 - sentAt;
    if (low > this.#high || high < this.#low) {
      // No offset explains both: one of the clocks was set. What was learnt before no longer holds.
      this.#low = low;
      this.#high = high;
      return;
    }
    this.#low = Math.max(this.#low, low);
    this.#high = Math.min(this.#high, high);
  }

  /** Server's clock minus this device's, ms. Zero as long as the answers allow it: an agreeing clock is the likely case. */
  get offset(): number {
    if (this.#low <= 0 && this.#high >= 0) return 0;
    return (this.#low + this.#high) / 2;
  }

  /** Width of what is still possible, ms; infinite before the first answer. */
  get uncertainty(): number {
    return this.#high - this.#low;
  }

  /**
   * Seconds from `serverDate` until now, both clocks taken into account; null when that cannot be told: with a clock known to a
   * second only, an invented decimal would be worse than none. @param serverDate, deviceNow ms since the epoch.
   */
  secondsSince(serverDate: number, deviceNow: number): number | null {
    if (this.offset !== 0 && this.uncertainty > USEFUL_UNCERTAINTY_MS) return null;
    const seconds = (deviceNow + this.offset - serverDate) / 1000;
    return seconds >= 0 && seconds < LONGEST_SECONDS ? seconds : null;
  }
}

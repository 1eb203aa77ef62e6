/** Section 4.10, µs. */
const INITIAL_RTT = 100_000;
const INITIAL_VARIANCE = 50_000;

/** Smoothed round-trip time and its variance, as section 4.10 has them. */
export class RoundTrip {
  /** µs; before the first sample, the draft's 100 ms. */
  rttMicros = INITIAL_RTT;
  /** µs; before the first sample, the draft's 50 ms. */
  varianceMicros = INITIAL_VARIANCE;
  #measured = false;
  #told = false;

  /** Whether the times are measured ones, at whichever end. */
  get known(): boolean {
    return this.#measured || this.#told;
  }

  /** Whether a sample was taken on this side. */
  get measured(): boolean {
    return this.#measured;
  }

  /** A round trip measured between an ACK and its ACKACK, µs. */
  sample(micros: number): void {
    if (!this.#measured) {
      this.#measured = true;
      this.rttMicros = micros;
      this.varianceMicros = micros / 2;
      return;
    }
    this.varianceMicros = (3 * this.varianceMicros + Math.abs(this.rttMicros - micros)) / 4;
    this.rttMicros = (7 * this.rttMicros + micros) / 8;
  }

  /** What the receiving peer reports in its ACK; counts only where this side measures nothing itself. */
  reported(rttMicros: number, varianceMicros: number): void {
    if (this.#measured) return;
    // Before its first sample the peer reports the draft's own numbers, too.
    this.#told ||= rttMicros !== INITIAL_RTT || varianceMicros !== INITIAL_VARIANCE;
    this.rttMicros = rttMicros;
    this.varianceMicros = varianceMicros;
  }
}

/** Smoothed round-trip time and its variance, as section 4.10 has them. */
export class RoundTrip {
  /** µs; before the first sample, the draft's 100 ms. */
  rttMicros = 100_000;
  /** µs; before the first sample, the draft's 50 ms. */
  varianceMicros = 50_000;
  #measured = false;

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
    this.rttMicros = rttMicros;
    this.varianceMicros = varianceMicros;
  }
}

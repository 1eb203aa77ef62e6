import { extendTimestamp } from "./sequence-number.ts";

/** Samples (one per ACK, every 10 ms) that make one drift measurement. */
const DRIFT_SPAN = 1000;
/** Most that one measurement moves the time base, µs. */
const MAX_DRIFT_STEP = 5000;
/** A packet that claims to be sent further than this from its arrival carries a bogus timestamp, µs. */
const MAX_DEVIATION = 30_000_000;

/**
 * Timestamp-based packet delivery (section 4.5): when a packet that the peer stamped is due here. Follows the
 * drift of the peer's clock against ours.
 */
export class PlayoutClock {
  /** Local time at which the peer's clock stood at zero, µs; includes the handshake's one-way delay. */
  #base: number;
  readonly #latency: number;
  #driftSum = 0;
  #driftCount = 0;
  #firstRtt: number | undefined;
  /** All that drift tracing has moved the time base by, µs. */
  driftMicros = 0;
  /** Timestamps that could not be believed. */
  implausible = 0;

  /**
   * @param peerTimestamp timestamp of the handshake packet, 32 bits of µs
   * @param arrivalMicros local time when it arrived
   */
  constructor(peerTimestamp: number, arrivalMicros: number, latencyMicros: number) {
    this.#base = arrivalMicros - peerTimestamp;
    this.#latency = latencyMicros;
  }

  /** Local µs at which a packet is to be handed up; `timestamp` is the wire's 32 bits, wraps are seen through. */
  dueAt(timestamp: number, arrivalMicros: number): number {
    const expected = arrivalMicros - this.#base;
    const sent = extendTimestamp(timestamp, expected);
    if (Math.abs(sent - expected) > MAX_DEVIATION) {
      this.implausible++;
      return arrivalMicros + this.#latency;
    }
    return this.#base + sent + this.#latency;
  }

  /** One ACKACK: its timestamp on the wire, its arrival and the smoothed round-trip time then, µs. */
  driftSample(timestamp: number, arrivalMicros: number, rttMicros: number): void {
    this.#firstRtt ??= rttMicros;
    const expected = arrivalMicros - this.#base;
    const deviation = expected - extendTimestamp(timestamp, expected) - (rttMicros - this.#firstRtt) / 2;
    if (Math.abs(deviation) > MAX_DEVIATION) {
      this.implausible++;
      return;
    }
    this.#driftSum += deviation;
    if (++this.#driftCount < DRIFT_SPAN) return;
    const mean = this.#driftSum / this.#driftCount;
    const step = Math.max(-MAX_DRIFT_STEP, Math.min(MAX_DRIFT_STEP, mean));
    this.#driftSum = 0;
    this.#driftCount = 0;
    this.#base += step;
    this.driftMicros += step;
  }
}

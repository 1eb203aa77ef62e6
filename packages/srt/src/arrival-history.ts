const ARRIVALS = 16;
const PROBES = 64;

/**
 * How fast packets come in and how fast the link could carry them, both as UDT does it: a median filter over
 * the last intervals. Packet pairs (numbers 16n and 16n+1, sent back to back) probe the capacity.
 */
export class ArrivalHistory {
  readonly #intervals = new Float64Array(ARRIVALS).fill(1_000_000);
  readonly #sizes = new Float64Array(ARRIVALS);
  readonly #probes = new Float64Array(PROBES).fill(1000);
  readonly #scratch = new Float64Array(PROBES);
  #arrivalIndex = 0;
  #probeIndex = 0;
  #probed = 0;
  #last = 0;
  #probeSequence = -1;
  #probeTime = 0;
  #evaluatedAt = -1;
  /** Packets a second; 0 when there are too few steady intervals. */
  packetRate = 0;
  /** Bytes a second, headers of IP, UDP and SRT included. */
  byteRate = 0;
  /** Packets a second that the link could carry; 0 before any pair was seen. */
  capacity = 0;

  /** A packet sent for the first time arrived. `sequence` is extended, `bytes` on the wire with all headers. */
  arrived(sequence: number, bytes: number, now: number): void {
    if (this.#last !== 0) {
      this.#intervals[this.#arrivalIndex] = now - this.#last;
      this.#sizes[this.#arrivalIndex] = bytes;
      this.#arrivalIndex = (this.#arrivalIndex + 1) % ARRIVALS;
    }
    this.#last = now;
    const position = sequence & 15;
    if (position === 0) {
      this.#probeSequence = sequence;
      this.#probeTime = now;
    } else if (position === 1 && this.#probeSequence === sequence - 1 && now > this.#probeTime) {
      this.#probes[this.#probeIndex] = now - this.#probeTime;
      this.#probeIndex = (this.#probeIndex + 1) % PROBES;
      this.#probed++;
    }
  }

  /** Brings the rates up to date, at most ten times a second. */
  evaluate(now: number): void {
    if (this.#evaluatedAt >= 0 && now - this.#evaluatedAt < 100_000) return;
    this.#evaluatedAt = now;
    this.#evaluateArrivals();
    if (this.#probed > 0) this.#evaluateProbes();
  }

  #evaluateArrivals(): void {
    const sorted = this.#scratch.subarray(0, ARRIVALS);
    sorted.set(this.#intervals);
    sorted.sort();
    const median = sorted[ARRIVALS / 2] as number;
    let count = 0;
    let time = 0;
    let bytes = 0;
    for (let index = 0; index < ARRIVALS; index++) {
      const interval = this.#intervals[index] as number;
      if (interval >= median * 8 || interval <= median / 8) continue;
      count++;
      time += interval;
      bytes += this.#sizes[index] as number;
    }
    // Fewer than half the intervals near the median: too bursty to call it a rate.
    const steady = count > ARRIVALS / 2 && time > 0;
    this.packetRate = steady ? Math.ceil((1_000_000 * count) / time) : 0;
    this.byteRate = steady ? Math.ceil((1_000_000 * bytes) / time) : 0;
  }

  #evaluateProbes(): void {
    const sorted = this.#scratch;
    sorted.set(this.#probes);
    sorted.sort();
    const median = sorted[PROBES / 2] as number;
    let count = 1;
    let time = median;
    for (let index = 0; index < PROBES; index++) {
      const interval = this.#probes[index] as number;
      if (interval >= median * 8 || interval <= median / 8) continue;
      count++;
      time += interval;
    }
    this.capacity = Math.ceil((1_000_000 * count) / time);
  }
}

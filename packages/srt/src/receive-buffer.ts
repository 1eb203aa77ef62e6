/** State of one place in the ring. */
export const Slot = { missing: 0, received: 1, dropped: 2 } as const;

/**
 * Packets that have arrived and are not handed up yet: a ring indexed by sequence number. Numbers are
 * extended; `start` ≤ number < `start + capacity`.
 */
export class ReceiveBuffer {
  readonly capacity: number;
  readonly #mask: number;
  readonly #payloads: (Buffer | undefined)[];
  readonly #states: Uint8Array;
  readonly #boundaries: Uint8Array;
  readonly #due: Float64Array;
  /** The next sequence number to hand up. */
  start: number;
  /** One past the highest sequence number seen. */
  end: number;
  /** Payload bytes held. */
  bytes = 0;
  /** Packets held. */
  packets = 0;

  /** @param capacity packets; a power of two */
  constructor(capacity: number, start: number) {
    if (capacity < 32 || (capacity & (capacity - 1)) !== 0) throw new RangeError("capacity must be a power of two");
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.#payloads = new Array<Buffer | undefined>(capacity).fill(undefined);
    this.#states = new Uint8Array(capacity);
    this.#boundaries = new Uint8Array(capacity);
    this.#due = new Float64Array(capacity);
    this.start = start;
    this.end = start;
  }

  stateOf(sequence: number): number {
    return this.#states[sequence & this.#mask] as number;
  }

  /** Puts a packet in its place, which must be in the window and missing. */
  put(sequence: number, payload: Buffer, boundary: number, dueMicros: number): void {
    const index = sequence & this.#mask;
    this.#payloads[index] = payload;
    this.#states[index] = Slot.received;
    this.#boundaries[index] = boundary;
    this.#due[index] = dueMicros;
    this.bytes += payload.length;
    this.packets++;
    if (sequence >= this.end) this.end = sequence + 1;
  }

  /** Notes that a packet will never come. The place must be in the window and missing. */
  markDropped(sequence: number): void {
    this.#states[sequence & this.#mask] = Slot.dropped;
    if (sequence >= this.end) this.end = sequence + 1;
  }

  dueOf(sequence: number): number {
    return this.#due[sequence & this.#mask] as number;
  }

  boundaryOf(sequence: number): number {
    return this.#boundaries[sequence & this.#mask] as number;
  }

  /** Takes the packet at `start` out and moves `start` past it; undefined where none was received. */
  shift(): Buffer | undefined {
    const index = this.start & this.#mask;
    const payload = this.#payloads[index];
    this.#payloads[index] = undefined;
    this.#states[index] = Slot.missing;
    this.start++;
    if (this.end < this.start) this.end = this.start;
    if (payload !== undefined) {
      this.bytes -= payload.length;
      this.packets--;
    }
    return payload;
  }

  /** µs between the first and the last packet held, by their due times. */
  spanMicros(): number {
    if (this.packets < 2) return 0;
    let first = this.start;
    while (this.stateOf(first) !== Slot.received) first++;
    let last = this.end - 1;
    while (this.stateOf(last) !== Slot.received) last--;
    return Math.max(0, this.dueOf(last) - this.dueOf(first));
  }
}

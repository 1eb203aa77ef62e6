import { copyBytes } from "../bits/copy-bytes.ts";
import { RtpPacket } from "./rtp-packet.ts";
import { sequenceDistance } from "./rtp-unwrap.ts";

export interface ReorderBufferOptions {
  /** How long packets wait for those missing before them, ms. */
  readonly holdMs: number;
  /** How many packets may wait, 1 to 8192; rounded up to a power of two. Where more come, the hole in front of them is given up. */
  readonly maxPackets: number;
  /** How many bytes of packets may wait. */
  readonly maxBytes: number;
}

/** What a {@link ReorderBuffer} hands on, in the order of sequence numbers. */
export interface ReorderBufferSink {
  /**
   * @param packet valid for the call only.
   * @param missing packets in front of this one that were given up.
   * @param arrivalMs when it came.
   */
  onPacket(packet: RtpPacket, missing: number, arrivalMs: number): void;
  /** The sender began anew: the next packet has nothing to do with those before. */
  onRestart(): void;
}

interface HeldPacket {
  readonly bytes: Uint8Array;
  readonly arrivalMs: number;
}

/** RFC 3550 A.1: sequence numbers that leap so far ahead, or fall so far back, are of a sender that began anew. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 1024;

/**
 * Puts the packets of one RTP stream in the order of their sequence numbers. A packet that comes in order is handed on at
 * once, without a copy; what comes behind a hole is kept until the hole is filled (retransmissions come late) or given up.
 * Packets that came before are dropped.
 */
export class ReorderBuffer {
  readonly #options: ReorderBufferOptions;
  readonly #sink: ReorderBufferSink;
  readonly #held: (HeldPacket | undefined)[];
  readonly #mask: number;
  readonly #replayed = new RtpPacket();
  /** By the low bits of the sequence number: whether the packet was handed on, of the last {@link MAX_MISORDER}. */
  readonly #seen = new Uint8Array(MAX_MISORDER);
  #heldCount = 0;
  #heldBytes = 0;
  #highestHeld = 0;
  #next: number | undefined;
  /** When the hole in front of the held packets was first noticed, ms. */
  #holeSinceMs = 0;
  /** What the sequence number after a leap would be, if the leap is a new beginning. */
  #probation: number | undefined;
  #lost = 0;
  #late = 0;
  #duplicates = 0;
  #reordered = 0;

  constructor(options: ReorderBufferOptions, sink: ReorderBufferSink) {
    this.#options = options;
    this.#sink = sink;
    const slots = 2 ** Math.ceil(Math.log2(Math.min(Math.max(options.maxPackets, 1), 8192)));
    this.#held = new Array<HeldPacket | undefined>(slots).fill(undefined);
    this.#mask = slots - 1;
  }

  /** Packets given up. */
  get lost(): number {
    return this.#lost;
  }

  /** Packets that came after they were given up. */
  get late(): number {
    return this.#late;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  /** Packets that came after their successors and in time. */
  get reordered(): number {
    return this.#reordered;
  }

  /** Bytes of the packets that wait. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @param packet may be changed after the call: what has to wait is copied. */
  push(packet: RtpPacket, nowMs: number): void {
    const sequence = packet.sequenceNumber;
    this.#next ??= sequence;
    const distance = sequenceDistance(sequence, this.#next);
    if (distance > MAX_DROPOUT || distance < -MAX_MISORDER) {
      if (this.#probation !== sequence) {
        // One stray packet is dropped; the next in its sequence shows that the sender began anew.
        this.#probation = (sequence + 1) & 0xffff;
        return;
      }
      this.#restart(sequence);
    }
    this.#probation = undefined;
    if (distance < 0 && this.#next !== sequence) {
      if (this.#seen[sequence % MAX_MISORDER] === 1) this.#duplicates += 1;
      else this.#late += 1;
      return;
    }
    if (sequence === this.#next) {
      if (this.#heldCount > 0) this.#reordered += 1;
      this.#deliver(packet, 0, nowMs);
      this.#drain();
      return;
    }
    this.#hold(packet, nowMs);
    this.tick(nowMs);
  }

  /** Gives up the holes that are older than the limit. To be called every now and then, also while nothing comes. */
  tick(nowMs: number): void {
    while (this.#heldCount > 0 && nowMs - this.#holeSinceMs >= this.#options.holdMs) this.#giveUpHole();
  }

  /** Gives up all holes: nothing more will come. */
  flush(): void {
    while (this.#heldCount > 0) this.#giveUpHole();
  }

  #hold(packet: RtpPacket, nowMs: number): void {
    const sequence = packet.sequenceNumber;
    const bytes = packet.data;
    while (
      this.#heldCount > 0 &&
      (sequenceDistance(sequence, this.#next as number) > this.#mask ||
        this.#heldBytes + bytes.length > this.#options.maxBytes)
    ) {
      this.#giveUpHole();
    }
    const distance = sequenceDistance(sequence, this.#next as number);
    if (distance <= 0 || distance > this.#mask || bytes.length > this.#options.maxBytes) {
      // Giving up holes has led up to it, or it is so far ahead of nothing at all that waiting is of no use.
      if (distance < 0) this.#late += 1;
      else this.#skipTo(packet, distance, nowMs);
      return;
    }
    const slot = sequence & this.#mask;
    if (this.#held[slot] !== undefined) {
      this.#duplicates += 1;
      return;
    }
    if (this.#heldCount === 0) {
      this.#holeSinceMs = nowMs;
      this.#highestHeld = sequence;
    } else if (sequenceDistance(sequence, this.#highestHeld) > 0) {
      this.#highestHeld = sequence;
    } else {
      this.#reordered += 1;
    }
    this.#held[slot] = { bytes: copyBytes(bytes), arrivalMs: nowMs };
    this.#heldCount += 1;
    this.#heldBytes += bytes.length;
  }

  #skipTo(packet: RtpPacket, missing: number, nowMs: number): void {
    this.#markMissing(missing);
    this.#deliver(packet, missing, nowMs);
    this.#drain();
  }

  #giveUpHole(): void {
    let sequence = this.#next as number;
    let missing = 0;
    while (this.#held[sequence & this.#mask] === undefined) {
      sequence = (sequence + 1) & 0xffff;
      missing += 1;
    }
    this.#markMissing(missing);
    this.#deliverHeld(missing);
    this.#drain();
  }

  #markMissing(count: number): void {
    let sequence = this.#next as number;
    this.#lost += count;
    this.#next = (sequence + count) & 0xffff;
    for (let i = Math.min(count, MAX_MISORDER); i > 0; i -= 1) {
      this.#seen[sequence % MAX_MISORDER] = 0;
      sequence += 1;
    }
    if (count > MAX_MISORDER) this.#seen.fill(0);
  }

  /** Hands on what follows without a hole; looks how old the next hole is. */
  #drain(): void {
    while (this.#heldCount > 0 && this.#held[(this.#next as number) & this.#mask] !== undefined) this.#deliverHeld(0);
    if (this.#heldCount === 0) return;
    let since = Number.POSITIVE_INFINITY;
    for (const held of this.#held) if (held !== undefined && held.arrivalMs < since) since = held.arrivalMs;
    this.#holeSinceMs = since;
  }

  #deliverHeld(missing: number): void {
    const slot = (this.#next as number) & this.#mask;
    const held = this.#held[slot] as HeldPacket;
    this.#held[slot] = undefined;
    this.#heldCount -= 1;
    this.#heldBytes -= held.bytes.length;
    this.#deliver(this.#replayed.read(held.bytes), missing, held.arrivalMs);
  }

  #deliver(packet: RtpPacket, missing: number, arrivalMs: number): void {
    this.#seen[packet.sequenceNumber % MAX_MISORDER] = 1;
    this.#next = (packet.sequenceNumber + 1) & 0xffff;
    this.#sink.onPacket(packet, missing, arrivalMs);
  }

  #restart(sequence: number): void {
    this.flush();
    this.#next = sequence;
    this.#seen.fill(0);
    this.#sink.onRestart();
  }
}

import { ArrivalHistory } from "./arrival-history.ts";
import type { ControlOutlet } from "./control-outlet.ts";
import { LossList } from "./loss-list.ts";
import { ControlType, DataField, HEADER_SIZE, PACKET_OVERHEAD } from "./packet.ts";
import type { PlayoutClock } from "./playout-clock.ts";
import { ReceiveBuffer, Slot } from "./receive-buffer.ts";
import type { RoundTrip } from "./round-trip.ts";
import { extendInitialSequence, extendSequence, wireSequence } from "./sequence-number.ts";

/**
 * Full acknowledgements go out, and due packets are handed up, on a grid of this many µs, so that a smooth stream
 * does not cost a wake-up a packet and all connections of a socket share theirs.
 */
const ACK_PERIOD = 10_000;
/** A light acknowledgement goes out when this many packets came since the last one. */
const LIGHT_ACK_PACKETS = 64;
/** Least time between two reports of the same loss, µs. */
const MIN_NAK_PERIOD = 20_000;
/** Early repeats of a report go with another one that is sent this long before they are due, µs. */
const NAK_BATCH = 5_000;
/** Acknowledgements that are waiting for their ACKACK. */
const ACK_RECORDS = 256;
/** Consecutive packets in order after which the reorder tolerance shrinks by one. */
const ORDERLY_RUN = 50;
/** Most bytes of one message that spans packets. */
const MAX_MESSAGE_SIZE = 1 << 20;

/** When messages are handed up. */
export type DeliveryMode =
  /** At the sender's pace, latency after it sent them: TSBPD as libsrt does it. */
  | "paced"
  /** In order and at once; only a hole is waited for, until its packets would have been due. */
  | "prompt";

/** Decrypts in place. @returns false when there is no key for `keyFlag`. */
export type Decrypt = (packet: Buffer, keyFlag: number, sequence: number) => boolean;

export interface ReceiverOptions {
  /** Sequence number (31 bits) of the first packet. */
  readonly initialSequence: number;
  /** Ring size, packets; a power of two. */
  readonly bufferPackets: number;
  readonly delivery: DeliveryMode;
  /** TLPKTDROP: whether holes are given up when what follows is due. */
  readonly tooLateDrop: boolean;
  /** SRTO_LOSSMAXTTL: most packets that a loss report may wait for reordered ones; 0 reports at once. */
  readonly maxReorderTolerance: number;
  readonly playout: PlayoutClock;
  readonly roundTrip: RoundTrip;
  readonly outlet: ControlOutlet;
  /** Undefined on a plain connection, where encrypted packets are dropped. */
  readonly decrypt: Decrypt | undefined;
  readonly onData: (payload: Buffer) => void;
}

/** The receiving half of a connection: loss detection, acknowledgement, ordering and delivery (sections 4.5 to 4.8). */
export class Receiver {
  readonly buffer: ReceiveBuffer;
  readonly history = new ArrivalHistory();
  readonly #options: ReceiverOptions;
  readonly #losses = new LossList();
  readonly #ackNumbers = new Uint32Array(ACK_RECORDS);
  readonly #ackTimes = new Float64Array(ACK_RECORDS);
  readonly #ackSequences = new Float64Array(ACK_RECORDS);
  #ackNumber = 0;
  #lastAckSequence: number;
  #lastAckAckSequence: number;
  #lastAckAt = 0;
  #lastAvailable: number;
  #sinceLightAck = 0;
  #ackDueAt = Number.POSITIVE_INFINITY;
  #nakDueAt = Number.POSITIVE_INFINITY;
  #releaseDueAt = Number.POSITIVE_INFINITY;
  #reorderTolerance = 0;
  #orderly = 0;
  #parts: Buffer[] = [];
  #partsSize = 0;
  #open = true;

  /** Data packets taken in, retransmitted ones included. */
  packetsReceived = 0;
  /** Bytes of their payloads. */
  bytesReceived = 0;
  /** Sequence numbers found missing when a later one came. */
  packetsLost = 0;
  /** Packets that came with the retransmission flag. */
  packetsRetransmitted = 0;
  /** Given up: TLPKTDROP, or the sender said it dropped them. */
  packetsDropped = 0;
  /** Came after they were given up or handed up. */
  packetsBelated = 0;
  /** Came twice. */
  packetsDuplicate = 0;
  /** Lay beyond the receive buffer. */
  packetsBeyondWindow = 0;
  /** Encrypted with a key that is not there. */
  packetsUndecrypted = 0;
  bytesUndecrypted = 0;
  acksSent = 0;
  naksSent = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    const start = extendInitialSequence(options.initialSequence);
    this.buffer = new ReceiveBuffer(options.bufferPackets, start);
    this.#lastAckSequence = start;
    this.#lastAckAckSequence = start;
    this.#lastAvailable = options.bufferPackets;
  }

  /** Local µs at which {@link run} has something to do. */
  get deadline(): number {
    return Math.min(this.#ackDueAt, this.#nakDueAt, this.#releaseDueAt);
  }

  /** Packets known to be missing now. */
  get packetsMissing(): number {
    return this.#losses.size;
  }

  /** A data packet of this connection; at least a header long. */
  handleData(packet: Buffer, now: number): void {
    const { buffer } = this;
    const sequence = extendSequence(packet.readUInt32BE(0), buffer.end);
    if (sequence < buffer.start) {
      this.packetsBelated++;
      // The peer may send again what it has not seen acknowledged: let it see.
      this.#ackSoon(now);
      return;
    }
    if (sequence >= buffer.start + buffer.capacity) {
      this.packetsBeyondWindow++;
      return;
    }
    if (sequence < buffer.end && buffer.stateOf(sequence) !== Slot.missing) {
      if (buffer.stateOf(sequence) === Slot.received) this.packetsDuplicate++;
      else this.packetsBelated++;
      return;
    }
    const field = packet.readUInt32BE(4);
    const keyFlag = (field >>> DataField.keyShift) & DataField.keyMask;
    if (keyFlag !== 0) {
      const { decrypt } = this.#options;
      if (decrypt === undefined || !decrypt(packet, keyFlag, packet.readUInt32BE(0))) {
        // Without integrity there is nothing to ask for again: the number counts as seen, as in libsrt.
        this.packetsUndecrypted++;
        this.bytesUndecrypted += packet.length - HEADER_SIZE;
        this.#noteArrival(sequence, false, now);
        buffer.markDropped(sequence);
        this.#afterArrival(now);
        return;
      }
    }
    const retransmitted = (field & DataField.retransmitted) !== 0;
    const payload = packet.subarray(HEADER_SIZE);
    this.packetsReceived++;
    this.bytesReceived += payload.length;
    if (retransmitted) this.packetsRetransmitted++;
    else this.history.arrived(sequence, payload.length + PACKET_OVERHEAD, now);
    this.#noteArrival(sequence, retransmitted, now);
    const due = this.#options.playout.dueAt(packet.readUInt32BE(8), now);
    buffer.put(sequence, payload, field >>> DataField.boundaryShift, due);
    this.#afterArrival(now);
  }

  /** The sender will not send `first` to `last` (31 bits each, inclusive) any more (section 3.2.9). */
  handleDropRequest(first: number, last: number, now: number): void {
    const { buffer } = this;
    const limit = buffer.start + buffer.capacity - 1;
    const from = Math.max(extendSequence(first, buffer.end), buffer.start);
    const to = Math.min(extendSequence(last, buffer.end), limit);
    if (from > to) return;
    for (let sequence = from; sequence <= to; sequence++) {
      if (buffer.stateOf(sequence) !== Slot.missing) continue;
      if (sequence >= buffer.end) {
        // Numbers below it that were never seen are losses of their own.
        if (sequence > buffer.end) this.#noteLoss(buffer.end, sequence - 1, now);
      } else this.#losses.remove(sequence);
      buffer.markDropped(sequence);
    }
    this.#afterArrival(now);
  }

  /** @param timestamp 32 bits of the ACKACK's header */
  handleAckAck(ackNumber: number, timestamp: number, now: number): void {
    const index = ackNumber % ACK_RECORDS;
    if (ackNumber === 0 || this.#ackNumbers[index] !== ackNumber) return;
    this.#ackNumbers[index] = 0;
    const sequence = this.#ackSequences[index] as number;
    if (sequence > this.#lastAckAckSequence) this.#lastAckAckSequence = sequence;
    const { roundTrip, playout } = this.#options;
    roundTrip.sample(Math.max(1, now - (this.#ackTimes[index] as number)));
    playout.driftSample(timestamp, now, roundTrip.rttMicros);
  }

  /** Does what has fallen due. */
  run(now: number): void {
    if (now >= this.#releaseDueAt) this.#release(now);
    if (now >= this.#nakDueAt) this.#reportLosses(now);
    if (now >= this.#ackDueAt) this.#acknowledge(now);
  }

  /** Hands up all that is left, holes given up: the stream ended. */
  flush(): void {
    const { buffer } = this;
    while (this.#open && buffer.start < buffer.end) {
      if (buffer.stateOf(buffer.start) === Slot.received) this.#deliver();
      else {
        this.packetsDropped++;
        this.#discardParts();
        buffer.shift();
      }
    }
  }

  /** Hands nothing up any more. */
  close(): void {
    this.#open = false;
    this.#parts = [];
    this.#losses.clear();
    this.#ackDueAt = this.#nakDueAt = this.#releaseDueAt = Number.POSITIVE_INFINITY;
  }

  /** Loss bookkeeping of a packet about to be stored at `sequence`. */
  #noteArrival(sequence: number, retransmitted: boolean, now: number): void {
    const { end } = this.buffer;
    if (sequence === end) {
      if (this.#reorderTolerance > 0 && ++this.#orderly >= ORDERLY_RUN) {
        this.#orderly = 0;
        this.#reorderTolerance--;
      }
    } else if (sequence > end) {
      this.#noteLoss(end, sequence - 1, now);
    } else {
      this.#losses.remove(sequence);
      if (!retransmitted) {
        this.#orderly = 0;
        const distance = end - sequence;
        if (distance > this.#reorderTolerance) {
          this.#reorderTolerance = Math.min(distance, this.#options.maxReorderTolerance);
        }
      }
    }
    if (this.#reorderTolerance > 0) this.#reportOvertaken(sequence, now);
  }

  #noteLoss(first: number, last: number, now: number): void {
    this.packetsLost += last - first + 1;
    this.#losses.append(first, last, now);
    if (this.#reorderTolerance === 0) this.#reportLosses(now);
    // Late even for reordered packets: report it then at the latest.
    else this.#nakDueAt = Math.min(this.#nakDueAt, now + MIN_NAK_PERIOD);
  }

  #afterArrival(now: number): void {
    if (this.#options.delivery === "prompt" || this.#releaseDueAt === Number.POSITIVE_INFINITY) this.#release(now);
    this.#ackSoon(now);
    if (++this.#sinceLightAck >= LIGHT_ACK_PACKETS) this.#acknowledgeLightly(now);
  }

  #ackSoon(now: number): void {
    const at = nextOnGrid(now);
    if (at < this.#ackDueAt) this.#ackDueAt = at;
  }

  #release(now: number): void {
    const { buffer } = this;
    const { delivery, tooLateDrop } = this.#options;
    let waitUntil = Number.POSITIVE_INFINITY;
    while (this.#open && buffer.start < buffer.end) {
      const state = buffer.stateOf(buffer.start);
      if (state === Slot.received) {
        if (delivery === "paced") {
          const due = buffer.dueOf(buffer.start);
          if (due > now) {
            waitUntil = nextOnGrid(due);
            break;
          }
        }
        this.#deliver();
      } else if (state === Slot.dropped) {
        this.packetsDropped++;
        this.#discardParts();
        buffer.shift();
      } else {
        if (!tooLateDrop) break;
        const next = this.#nextReceived(this.#losses.lastOf(0) + 1);
        // Nothing but numbers that will never come: nothing behind the hole can be due.
        if (next === buffer.end) break;
        const due = buffer.dueOf(next);
        if (due > now) {
          waitUntil = due;
          break;
        }
        this.#giveUp(next);
      }
    }
    this.#releaseDueAt = waitUntil;
    // A sender that was told that there is no room would never hear of it again.
    if (this.#lastAvailable < buffer.capacity / 4) this.#ackSoon(now);
  }

  #nextReceived(from: number): number {
    let next = from;
    while (next < this.buffer.end && this.buffer.stateOf(next) !== Slot.received) next++;
    return next;
  }

  /** TLPKTDROP: moves on to `sequence`, which is due; what is missing before it is dropped. */
  #giveUp(sequence: number): void {
    this.#losses.removeBefore(sequence);
    this.#discardParts();
    while (this.buffer.start < sequence) {
      this.packetsDropped++;
      this.buffer.shift();
    }
  }

  #deliver(): void {
    const { buffer } = this;
    const boundary = buffer.boundaryOf(buffer.start);
    const payload = buffer.shift() as Buffer;
    if (boundary === DataField.solo) {
      this.#discardParts();
      this.#options.onData(payload);
      return;
    }
    if (boundary === DataField.first) this.#discardParts();
    else if (this.#parts.length === 0) {
      this.packetsDropped++;
      return;
    }
    this.#parts.push(payload);
    this.#partsSize += payload.length;
    if (this.#partsSize > MAX_MESSAGE_SIZE) this.#discardParts();
    else if (boundary === DataField.last) {
      const message = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#partsSize = 0;
      this.#options.onData(message);
    }
  }

  /** A message that lost a part is no message. */
  #discardParts(): void {
    if (this.#parts.length === 0) return;
    this.packetsDropped += this.#parts.length;
    this.#parts = [];
    this.#partsSize = 0;
  }

  /** The first number that has neither come nor been given up. */
  #acknowledgeable(): number {
    return this.#losses.ranges > 0 ? this.#losses.firstOf(0) : this.buffer.end;
  }

  #acknowledge(now: number): void {
    this.#ackDueAt = Number.POSITIVE_INFINITY;
    const { buffer } = this;
    const { outlet, roundTrip } = this.#options;
    const sequence = this.#acknowledgeable();
    const available = buffer.capacity - (sequence - buffer.start);
    const patience = roundTrip.rttMicros + 4 * roundTrip.varianceMicros;
    const reopened = this.#lastAvailable < buffer.capacity / 4 && available > 2 * this.#lastAvailable;
    if (sequence === this.#lastAckSequence && !reopened) {
      // Already told; only repeat it while the sender has not confirmed, and not faster than it can.
      if (sequence === this.#lastAckAckSequence) return;
      if (now - this.#lastAckAt < patience) {
        this.#ackDueAt = nextOnGrid(this.#lastAckAt + patience);
        return;
      }
    }
    this.#ackNumber = (this.#ackNumber % 0x7fff_ffff) + 1;
    const index = this.#ackNumber % ACK_RECORDS;
    this.#ackNumbers[index] = this.#ackNumber;
    this.#ackTimes[index] = now;
    this.#ackSequences[index] = sequence;
    this.#lastAckSequence = sequence;
    this.#lastAckAt = now;
    this.#lastAvailable = available;
    this.#sinceLightAck = 0;
    this.history.evaluate(now);
    const { scratch } = outlet;
    scratch.writeUInt32BE(wireSequence(sequence), HEADER_SIZE);
    scratch.writeUInt32BE(Math.round(roundTrip.rttMicros), HEADER_SIZE + 4);
    scratch.writeUInt32BE(Math.round(roundTrip.varianceMicros), HEADER_SIZE + 8);
    scratch.writeUInt32BE(available, HEADER_SIZE + 12);
    scratch.writeUInt32BE(clampWord(this.history.packetRate), HEADER_SIZE + 16);
    scratch.writeUInt32BE(clampWord(this.history.capacity), HEADER_SIZE + 20);
    scratch.writeUInt32BE(clampWord(this.history.byteRate), HEADER_SIZE + 24);
    outlet.send(ControlType.ack, 0, this.#ackNumber, 28, now);
    this.acksSent++;
    // In a running stream there will be something to acknowledge next time: the timer need not be set anew for it.
    this.#ackDueAt = nextOnGrid(now);
  }

  #acknowledgeLightly(now: number): void {
    this.#sinceLightAck = 0;
    const { outlet } = this.#options;
    outlet.scratch.writeUInt32BE(wireSequence(this.#acknowledgeable()), HEADER_SIZE);
    outlet.send(ControlType.ack, 0, 0, 4, now);
    this.acksSent++;
  }

  /** Reports losses that more packets have overtaken than reordering explains. */
  #reportOvertaken(sequence: number, now: number): void {
    const losses = this.#losses;
    for (let index = 0; index < losses.ranges; index++) {
      if (losses.reportsOf(index) === 0 && sequence - losses.lastOf(index) > this.#reorderTolerance) {
        this.#reportLosses(now);
        return;
      }
    }
  }

  /**
   * Reports every loss that is due for it. Each is reported at once; again after {@link MIN_NAK_PERIOD}, in case
   * the report was lost, where a round trip is longer than two of these; and so on once a round trip, when the
   * answer to the one before should have come. A sender does not answer sooner (libsrt's "efficient
   * retransmission"), so this asks as often as it is of use.
   */
  #reportLosses(now: number): void {
    const losses = this.#losses;
    const { outlet, roundTrip } = this.#options;
    const cycle = Math.max(
      MIN_NAK_PERIOD,
      roundTrip.rttMicros + Math.max(2000, Math.min(roundTrip.varianceMicros, roundTrip.rttMicros)),
    );
    const twice = cycle >= 2 * MIN_NAK_PERIOD;
    const limit = HEADER_SIZE + outlet.room - 8;
    let at = HEADER_SIZE;
    let next = Number.POSITIVE_INFINITY;
    for (let index = 0; index < losses.ranges; index++) {
      const first = (losses.reportsOf(index) & 1) === 0;
      // A round trip's first report must not come early: it would be taken for a repeat of the last one's.
      if (losses.reportAtOf(index) <= now + (twice && !first ? NAK_BATCH : 0) && at <= limit) {
        at = writeLoss(outlet.scratch, at, losses.firstOf(index), losses.lastOf(index));
        losses.noteReport(index, now + (!twice ? cycle : first ? MIN_NAK_PERIOD : cycle - MIN_NAK_PERIOD));
      }
      next = Math.min(next, losses.reportAtOf(index));
    }
    this.#nakDueAt = next;
    if (at === HEADER_SIZE) return;
    outlet.send(ControlType.nak, 0, 0, at - HEADER_SIZE, now);
    this.naksSent++;
  }
}

/** One entry of a compressed loss list (appendix A). @returns the offset behind it. */
function writeLoss(packet: Buffer, at: number, first: number, last: number): number {
  if (first === last) {
    packet.writeUInt32BE(wireSequence(first), at);
    return at + 4;
  }
  packet.writeUInt32BE((wireSequence(first) | 0x8000_0000) >>> 0, at);
  packet.writeUInt32BE(wireSequence(last), at + 4);
  return at + 8;
}

/** The first time on the grid after `micros`. */
function nextOnGrid(micros: number): number {
  return (Math.floor(micros / ACK_PERIOD) + 1) * ACK_PERIOD;
}

function clampWord(value: number): number {
  return Math.min(value, 0xffff_ffff);
}

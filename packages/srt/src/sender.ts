import type { ControlOutlet } from "./control-outlet.ts";
import { LossList } from "./loss-list.ts";
import { Pacer, type Pacing } from "./pacer.ts";
import { ControlType, DataField, HEADER_SIZE, PACKET_OVERHEAD, writeDataHeader } from "./packet.ts";
import type { RoundTrip } from "./round-trip.ts";
import { extendInitialSequence, extendSequence, wireSequence } from "./sequence-number.ts";

/** Least age at which a packet is too late to be sent, µs, whatever the latency (libsrt). */
const MIN_DROP_AGE = 1_000_000;
/** Two ACK periods, added to the drop age (libsrt). */
const DROP_MARGIN = 20_000;
const SYN = 10_000;

/** Encrypts in place. @returns the key flag to be put into the header. */
export type Encrypt = (packet: Buffer, length: number, sequence: number) => number;

export interface SenderOptions {
  readonly initialSequence: number;
  /** Ring size, packets; a power of two. */
  readonly bufferPackets: number;
  /** Bytes of one payload at most. */
  readonly maxPayload: number;
  /** The peer's flow window from the handshake, packets. */
  readonly flowWindow: number;
  /** The latency that the peer applies, µs. */
  readonly latencyMicros: number;
  /** Added to the latency before a packet is given up, µs; undefined: never given up. */
  readonly dropDelayMicros: number | undefined;
  readonly pacing: Pacing;
  /** Whether the peer reports losses again and again (NAKREPORT). */
  readonly peerRepeatsReports: boolean;
  readonly peerSocketId: number;
  readonly roundTrip: RoundTrip;
  readonly outlet: ControlOutlet;
  readonly encrypt: Encrypt | undefined;
  /** Called once when there is room again after {@link Sender.push} refused. */
  readonly onDrain: () => void;
}

/** The sending half of a connection: buffer, pacing, retransmission, too-late drop (sections 4.6 to 4.9). */
export class Sender {
  readonly #options: SenderOptions;
  readonly #mask: number;
  /** Packets as they go onto the wire; a place's buffer is made when it is first used and kept. */
  #packets: (Buffer | undefined)[] = [];
  #lengths = new Uint16Array(0);
  #origins = new Float64Array(0);
  /** Local µs of the last retransmission; 0 when there was none. */
  #resentAt = new Float64Array(0);
  readonly #pacer: Pacer;
  readonly #lost = new LossList();
  readonly #dropAge: number;
  /** Oldest packet that is not acknowledged. */
  #start: number;
  /** Next packet to be sent for the first time. */
  #next: number;
  /** Next sequence number to be given out. */
  #end: number;
  /** One past the highest number that was given up unacknowledged. */
  #droppedEnd: number;
  #window: number;
  #bytes = 0;
  #messageNumber = 0;
  #refused = false;
  #paceDueAt = Number.POSITIVE_INFINITY;
  #dropDueAt = Number.POSITIVE_INFINITY;
  #repeatDueAt = Number.POSITIVE_INFINITY;
  #repeats = 1;
  /** Since when there has been nothing to tell the peer's loss detection, or us, how things stand. */
  #quietSince = 0;

  packetsSent = 0;
  bytesSent = 0;
  packetsRetransmitted = 0;
  bytesRetransmitted = 0;
  /** Numbers that the peer reported missing, repeats included. */
  packetsReportedLost = 0;
  /** Given up: too late to be of use. */
  packetsDropped = 0;
  bytesDropped = 0;
  acksReceived = 0;
  naksReceived = 0;
  /** Estimated link capacity as the peer reports it, packets/s. */
  capacity = 0;
  /** The peer's receiving rate as it reports it, bytes/s. */
  peerByteRate = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#mask = options.bufferPackets - 1;
    this.#pacer = new Pacer(options.pacing);
    this.#dropAge =
      options.dropDelayMicros === undefined
        ? Number.POSITIVE_INFINITY
        : Math.max(options.latencyMicros + options.dropDelayMicros, MIN_DROP_AGE) + DROP_MARGIN;
    this.#start = extendInitialSequence(options.initialSequence);
    this.#next = this.#start;
    this.#end = this.#start;
    this.#droppedEnd = this.#start;
    this.#window = options.flowWindow;
  }

  get deadline(): number {
    return Math.min(this.#paceDueAt, this.#dropDueAt, this.#repeatDueAt);
  }

  /** Packets sent and neither acknowledged nor given up. */
  get flightSize(): number {
    return this.#next - this.#start;
  }

  /** Packets held: under way or waiting. */
  get packetsBuffered(): number {
    return this.#end - this.#start;
  }

  /** Payload bytes held. */
  get bytesBuffered(): number {
    return this.#bytes;
  }

  /** Bits a second that pacing allows; infinite when it does not limit. */
  get pacingBitsPerSecond(): number {
    return this.#pacer.bitsPerSecond;
  }

  /** Sends no more than so much from now on, retransmissions included, bits/s on the wire. */
  pace(bitsPerSecond: number, now: number): void {
    this.#pacer.limit(bitsPerSecond);
    this.#transmit(now);
  }

  /** Age of the oldest packet held, µs. */
  bufferedMicros(now: number): number {
    return this.#start === this.#end ? 0 : now - (this.#origins[this.#start & this.#mask] as number);
  }

  /** Takes a message of one packet and sends it as soon as pacing allows. @returns false when the buffer is full. */
  push(payload: Uint8Array, now: number): boolean {
    const { bufferPackets, maxPayload } = this.#options;
    if (payload.length === 0 || payload.length > maxPayload) {
      throw new RangeError(`a live message has 1 to ${maxPayload} bytes, not ${payload.length}`);
    }
    if (this.#end - this.#start >= bufferPackets) {
      this.#refused = true;
      return false;
    }
    if (this.#packets.length === 0) this.#allocate();
    const index = this.#end & this.#mask;
    let packet = this.#packets[index];
    if (packet === undefined) {
      packet = Buffer.allocUnsafeSlow(HEADER_SIZE + maxPayload);
      this.#packets[index] = packet;
    }
    packet.set(payload, HEADER_SIZE);
    this.#lengths[index] = payload.length;
    this.#origins[index] = now;
    this.#resentAt[index] = 0;
    this.#bytes += payload.length;
    if (this.#start === this.#end) this.#dropDueAt = now + this.#dropAge;
    this.#end++;
    this.#pacer.input(payload.length + PACKET_OVERHEAD, now);
    this.#transmit(now);
    return true;
  }

  /** A full or light acknowledgement; `sequence` (31 bits) is the first number not acknowledged. */
  handleAck(packet: Buffer, now: number): void {
    const number = packet.readUInt32BE(4);
    const sequence = extendSequence(packet.readUInt32BE(HEADER_SIZE), this.#start);
    const { outlet, roundTrip } = this.#options;
    if (number !== 0) outlet.sendEmpty(ControlType.ackAck, number, now);
    if (sequence > this.#next) return;
    this.acksReceived++;
    if (packet.length >= HEADER_SIZE + 16) {
      roundTrip.reported(
        Math.min(packet.readUInt32BE(HEADER_SIZE + 4), 10_000_000),
        Math.min(packet.readUInt32BE(HEADER_SIZE + 8), 10_000_000),
      );
      if (sequence >= this.#start) this.#window = packet.readUInt32BE(HEADER_SIZE + 12);
    } else if (sequence > this.#start) {
      // A light acknowledgement says nothing of the room left: what it acknowledges may still fill the buffer.
      this.#window = Math.max(0, this.#window - (sequence - this.#start));
    }
    if (packet.length >= HEADER_SIZE + 28) {
      this.capacity = packet.readUInt32BE(HEADER_SIZE + 20);
      this.peerByteRate = packet.readUInt32BE(HEADER_SIZE + 24);
    }
    if (sequence > this.#start) {
      this.#free(sequence, now);
      this.#repeats = 1;
      if (!this.#options.peerRepeatsReports) this.#quietSince = now;
      this.#scheduleRepeat();
    }
    this.#transmit(now);
  }

  /** A loss report; `end` bytes of `packet` count. */
  handleNak(packet: Buffer, now: number): void {
    this.naksReceived++;
    const end = packet.length - (packet.length & 3);
    for (let at = HEADER_SIZE; at < end; at += 4) {
      const word = packet.readUInt32BE(at);
      const first = extendSequence(word & 0x7fff_ffff, this.#start);
      let last = first;
      if (word >= 0x8000_0000) {
        at += 4;
        if (at >= end) return;
        last = extendSequence(packet.readUInt32BE(at) & 0x7fff_ffff, this.#start);
      }
      // What was never sent cannot have been lost.
      if (last < first || last >= this.#next) continue;
      if (first < this.#droppedEnd) this.#requestDrop(first, Math.min(last, this.#droppedEnd - 1), now);
      const from = Math.max(first, this.#start);
      if (from > last) continue;
      this.packetsReportedLost += last - from + 1;
      this.#lost.add(from, last);
    }
    this.#transmit(now);
  }

  /** Does what has fallen due. */
  run(now: number): void {
    if (now >= this.#dropDueAt) this.#dropTooLate(now);
    if (now >= this.#repeatDueAt) this.#repeatUnacknowledged(now);
    if (now >= this.#paceDueAt) this.#transmit(now);
  }

  close(): void {
    this.#lost.clear();
    this.#paceDueAt = this.#dropDueAt = this.#repeatDueAt = Number.POSITIVE_INFINITY;
    this.#packets.fill(undefined);
  }

  /** Only when something is to be sent: most connections of a listener receive only. */
  #allocate(): void {
    const { bufferPackets } = this.#options;
    this.#packets = new Array<Buffer | undefined>(bufferPackets).fill(undefined);
    this.#lengths = new Uint16Array(bufferPackets);
    this.#origins = new Float64Array(bufferPackets);
    this.#resentAt = new Float64Array(bufferPackets);
  }

  #transmit(now: number): void {
    this.#paceDueAt = Number.POSITIVE_INFINITY;
    const { roundTrip } = this.#options;
    for (;;) {
      let sequence = this.#lost.ranges > 0 ? this.#lost.firstOf(0) : undefined;
      if (sequence !== undefined) {
        // Reported again although the last retransmission cannot have been seen yet.
        const answerable = Math.max(roundTrip.rttMicros - roundTrip.varianceMicros, roundTrip.rttMicros / 2);
        if ((this.#resentAt[sequence & this.#mask] as number) > now - answerable) {
          this.#lost.shift();
          continue;
        }
      } else {
        if (this.#next === this.#end || this.flightSize >= this.#window) return;
        sequence = this.#next;
      }
      const index = sequence & this.#mask;
      const length = HEADER_SIZE + (this.#lengths[index] as number);
      // The second packet of a probing pair follows the first at once.
      const unpaced = sequence === this.#next && (sequence & 15) === 1;
      const wait = unpaced ? 0 : this.#pacer.take(length + PACKET_OVERHEAD - HEADER_SIZE, now);
      if (wait !== 0) {
        this.#paceDueAt = wait;
        return;
      }
      if (sequence === this.#next) this.#sendNew(index, length, now);
      else this.#sendAgain(index, length, now);
    }
  }

  #sendNew(index: number, length: number, now: number): void {
    const packet = this.#packets[index] as Buffer;
    const { outlet, encrypt, peerSocketId } = this.#options;
    this.#messageNumber = (this.#messageNumber % DataField.messageMask) + 1;
    const keyFlag = encrypt === undefined ? 0 : encrypt(packet, length, this.#next);
    const timestamp = outlet.timestamp(this.#origins[index] as number);
    writeDataHeader(packet, wireSequence(this.#next), this.#messageNumber, keyFlag, timestamp, peerSocketId);
    this.#next++;
    if (this.#options.peerRepeatsReports || this.flightSize === 1) {
      this.#quietSince = now;
      this.#repeats = 1;
      this.#scheduleRepeat();
    }
    this.packetsSent++;
    this.bytesSent += length - HEADER_SIZE;
    outlet.sendData(packet, length, now);
  }

  #sendAgain(index: number, length: number, now: number): void {
    this.#lost.shift();
    const packet = this.#packets[index] as Buffer;
    packet.writeUInt32BE((packet.readUInt32BE(4) | DataField.retransmitted) >>> 0, 4);
    this.#resentAt[index] = now;
    this.packetsSent++;
    this.packetsRetransmitted++;
    this.bytesSent += length - HEADER_SIZE;
    this.bytesRetransmitted += length - HEADER_SIZE;
    this.#options.outlet.sendData(packet, length, now);
  }

  /** Lets go of everything below `sequence`. */
  #free(sequence: number, now: number): void {
    while (this.#start < sequence) {
      this.#bytes -= this.#lengths[this.#start & this.#mask] as number;
      this.#start++;
    }
    this.#lost.removeBefore(sequence);
    if (this.#next < sequence) this.#next = sequence;
    this.#dropDueAt =
      this.#start === this.#end
        ? Number.POSITIVE_INFINITY
        : Math.max(now, (this.#origins[this.#start & this.#mask] as number) + this.#dropAge);
    if (this.#refused && this.packetsBuffered <= this.#options.bufferPackets / 2) {
      this.#refused = false;
      this.#options.onDrain();
    }
  }

  #dropTooLate(now: number): void {
    let sequence = this.#start;
    while (sequence < this.#end && (this.#origins[sequence & this.#mask] as number) + this.#dropAge <= now) {
      this.packetsDropped++;
      this.bytesDropped += this.#lengths[sequence & this.#mask] as number;
      sequence++;
    }
    this.#droppedEnd = sequence;
    const first = this.#start;
    this.#free(sequence, now);
    // The peer need not wait for what will not come; its own too-late drop may be off.
    if (sequence > first) this.#requestDrop(first, sequence - 1, now);
    this.#transmit(now);
  }

  #requestDrop(first: number, last: number, now: number): void {
    const { outlet } = this.#options;
    outlet.scratch.writeUInt32BE(wireSequence(first), HEADER_SIZE);
    outlet.scratch.writeUInt32BE(wireSequence(last), HEADER_SIZE + 4);
    // Message number 0: by sequence numbers alone.
    outlet.send(ControlType.dropRequest, 0, 0, 8, now);
  }

  #scheduleRepeat(): void {
    const { rttMicros, varianceMicros } = this.#options.roundTrip;
    this.#repeatDueAt =
      this.flightSize === 0
        ? Number.POSITIVE_INFINITY
        : this.#quietSince + this.#repeats * (rttMicros + 4 * varianceMicros + 2 * SYN) + SYN;
  }

  /** Nothing was heard or sent for a while: the tail may be lost, which no loss report would tell. */
  #repeatUnacknowledged(now: number): void {
    if (this.flightSize > 0 && this.#lost.ranges === 0) {
      // The last packet is enough for a peer that then reports, and reports again, what is missing before it.
      this.#lost.add(this.#options.peerRepeatsReports ? this.#next - 1 : this.#start, this.#next - 1);
      this.#repeats = Math.min(this.#repeats + 1, 16);
    }
    this.#quietSince = now;
    this.#scheduleRepeat();
    this.#transmit(now);
  }
}

import { TS_PACKET_SIZE, TS_SYNC_BYTE } from "./ts-packet.ts";

/** Packets in a row whose sync bytes must stand where they should for the boundaries to be believed. */
const SYNC_PACKETS = 3;

/** Told of what {@link TsFramer} finds. */
export interface TsFramerSink {
  /** A packet: 188 bytes at `offset`, good during the call. */
  onPacket(data: Uint8Array, offset: number): void;
  /** Packet boundaries were lost: what was under way is damaged. */
  onSyncLost(): void;
}

/** Finds the packets of a transport stream that comes in pieces of any size, and finds them again after garbage. */
export class TsFramer {
  readonly #sink: TsFramerSink;
  /** The beginning of a packet, or out of sync of up to `SYNC_PACKETS`, that the last piece ended in. */
  readonly #carry = new Uint8Array(TS_PACKET_SIZE * SYNC_PACKETS);
  #carried = 0;
  #synced = false;
  #everSynced = false;
  #skippedBytes = 0;

  constructor(sink: TsFramerSink) {
    this.#sink = sink;
  }

  /** Bytes passed over so far in search of packets. */
  get skippedBytes(): number {
    return this.#skippedBytes;
  }

  push(chunk: Uint8Array): void {
    if (this.#carried === 0) {
      this.#consume(chunk, 0);
      return;
    }
    if (!this.#synced) {
      const data = joined(this.#carry.subarray(0, this.#carried), chunk);
      this.#carried = 0;
      this.#consume(data, 0);
      return;
    }
    const taken = Math.min(chunk.length, TS_PACKET_SIZE - this.#carried);
    this.#carry.set(chunk.subarray(0, taken), this.#carried);
    this.#carried += taken;
    if (this.#carried < TS_PACKET_SIZE) return;
    this.#carried = 0;
    if (taken === chunk.length || chunk[taken] === TS_SYNC_BYTE) {
      this.#sink.onPacket(this.#carry, 0);
      this.#consume(chunk, taken);
    } else {
      const data = joined(this.#carry.subarray(0, TS_PACKET_SIZE), chunk.subarray(taken));
      this.#loseSync();
      this.#consume(data, 0);
    }
  }

  /** The end of the stream: too few packets may be left to be sure of; they are taken when nothing speaks against it. */
  flush(): void {
    const packets = Math.floor(this.#carried / TS_PACKET_SIZE);
    if (!this.#everSynced) for (let i = 0; i < packets; i += 1) this.#sink.onPacket(this.#carry, i * TS_PACKET_SIZE);
    this.#carried = 0;
    this.#synced = false;
    this.#everSynced = false;
  }

  /** Bytes are missing here: a packet begun is not going to be whole. */
  lost(): void {
    this.#carried = 0;
  }

  #consume(data: Uint8Array, from: number): void {
    const last = data.length - TS_PACKET_SIZE;
    let at = from;
    for (;;) {
      if (!this.#synced) {
        at = this.#findSync(data, at);
        if (!this.#synced) return;
      }
      while (at <= last) {
        // The packet before garbage is not to be trusted either: it may have been cut.
        if (data[at] !== TS_SYNC_BYTE || (at < last && data[at + TS_PACKET_SIZE] !== TS_SYNC_BYTE)) break;
        this.#sink.onPacket(data, at);
        at += TS_PACKET_SIZE;
      }
      if (at > last && (at >= data.length || data[at] === TS_SYNC_BYTE)) break;
      this.#loseSync();
    }
    this.#keep(data, at);
  }

  /** Looks for packets; keeps the end of the data when it could be the beginning of some. */
  #findSync(data: Uint8Array, from: number): number {
    let at = from;
    for (; at < data.length; at += 1) {
      if (data[at] !== TS_SYNC_BYTE) continue;
      let seen = 1;
      while (seen < SYNC_PACKETS && data[at + seen * TS_PACKET_SIZE] === TS_SYNC_BYTE) seen += 1;
      if (seen === SYNC_PACKETS) {
        this.#synced = true;
        this.#everSynced = true;
        break;
      }
      if (at + seen * TS_PACKET_SIZE < data.length) continue;
      this.#keep(data, at);
      break;
    }
    this.#skippedBytes += at - from;
    return at;
  }

  #keep(data: Uint8Array, from: number): void {
    this.#carried = data.length - from;
    if (this.#carried > 0) this.#carry.set(data.subarray(from), 0);
  }

  #loseSync(): void {
    this.#synced = false;
    this.#sink.onSyncLost();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

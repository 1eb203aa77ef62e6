import { CONTINUITY_MODULUS, TS_PACKET_SIZE, TS_PAYLOAD_SIZE, TS_SYNC_BYTE } from "./ts-packet.ts";

/** What the adaptation field of the first packet of a payload says. */
export interface FirstPacketFlags {
  /** random_access_indicator. */
  readonly randomAccess: boolean;
  /** discontinuity_indicator. */
  readonly discontinuity: boolean;
  /** program_clock_reference_base, 0 to 2^33 − 1; −1 for none. */
  readonly pcrBase: number;
}

const PCR_FIELD_SIZE = 8;
const FLAGS_FIELD_SIZE = 2;

/**
 * Cuts a payload (a PES packet) into packets of one PID, written one after the other into a buffer that was made
 * large enough ({@link packetsFor}). The last packet is filled up by stuffing in its adaptation field.
 */
export class PacketWriter {
  #out: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Where the payload of the packet under way ends. */
  #packetEnd = 0;
  #pid = 0;
  #counter = 0;
  /** Payload bytes that are to come after the packet under way. */
  #left = 0;

  /** Where the next byte goes. */
  get position(): number {
    return this.#at;
  }

  /** The continuity counter that follows the last packet. */
  get counter(): number {
    return this.#counter;
  }

  /**
   * Begins a payload of exactly `size` bytes.
   * @param at where its first packet goes, @param counter continuity counter of that packet.
   */
  begin(out: Uint8Array, at: number, pid: number, counter: number, size: number, flags: FirstPacketFlags): void {
    this.#out = out;
    this.#at = at;
    this.#pid = pid;
    this.#counter = counter;
    this.#left = size;
    this.#packet(true, flags);
  }

  /** Appends `data[start, end)`. */
  write(data: Uint8Array, start = 0, end = data.length): void {
    let from = start;
    while (from < end) {
      if (this.#at === this.#packetEnd) this.#packet(false, undefined);
      const count = Math.min(end - from, this.#packetEnd - this.#at);
      if (count <= SHORT_COPY) {
        for (let i = 0; i < count; i += 1) this.#out[this.#at + i] = data[from + i] as number;
      } else {
        this.#out.set(data.subarray(from, from + count), this.#at);
      }
      this.#at += count;
      from += count;
    }
  }

  /** Writes header and adaptation field of the next packet. */
  #packet(first: boolean, flags: FirstPacketFlags | undefined): void {
    const out = this.#out;
    let at = this.#at;
    const field = flags === undefined ? 0 : adaptationFieldSize(flags);
    const payload = Math.min(this.#left, TS_PAYLOAD_SIZE - field);
    const adaptation = TS_PAYLOAD_SIZE - payload;
    out[at] = TS_SYNC_BYTE;
    out[at + 1] = (first ? 0x40 : 0) | (this.#pid >> 8);
    out[at + 2] = this.#pid;
    out[at + 3] = (adaptation > 0 ? 0x30 : 0x10) | this.#counter;
    this.#counter = (this.#counter + 1) % CONTINUITY_MODULUS;
    at += 4;
    if (adaptation > 0) writeAdaptationField(out, at, adaptation, flags);
    this.#at = at + adaptation;
    this.#packetEnd = at + TS_PAYLOAD_SIZE;
    this.#left -= payload;
  }
}

/** Below this a loop is quicker than a call into the engine. */
const SHORT_COPY = 16;

/** Packets that a payload of `size` bytes takes. */
export function packetsFor(size: number, flags: FirstPacketFlags): number {
  return Math.ceil((size + adaptationFieldSize(flags)) / TS_PAYLOAD_SIZE);
}

/** Writes a packet that has nothing but an adaptation field with a program clock reference. */
export function writePcrPacket(out: Uint8Array, at: number, pid: number, counter: number, pcrBase: number): void {
  out[at] = TS_SYNC_BYTE;
  out[at + 1] = pid >> 8;
  out[at + 2] = pid;
  out[at + 3] = 0x20 | counter;
  writeAdaptationField(out, at + 4, TS_PAYLOAD_SIZE, { randomAccess: false, discontinuity: false, pcrBase });
}

/** The packets of a section, each filled up; continuity counters are left 0 for whoever sends them. */
export function sectionPackets(pid: number, section: Uint8Array): Uint8Array {
  const packets = Math.ceil((1 + section.length) / TS_PAYLOAD_SIZE);
  const out = new Uint8Array(packets * TS_PACKET_SIZE).fill(0xff);
  let from = 0;
  for (let i = 0; i < packets; i += 1) {
    const at = i * TS_PACKET_SIZE;
    out.set([TS_SYNC_BYTE, (i === 0 ? 0x40 : 0) | (pid >> 8), pid & 0xff, 0x10], at);
    const start = i === 0 ? 5 : 4;
    if (i === 0) out[at + 4] = 0; // pointer_field
    const piece = section.subarray(from, from + TS_PACKET_SIZE - start);
    out.set(piece, at + start);
    from += piece.length;
  }
  return out;
}

/** Least size of the adaptation field that says `flags`, its length byte included. */
function adaptationFieldSize(flags: FirstPacketFlags): number {
  if (flags.pcrBase >= 0) return PCR_FIELD_SIZE;
  return flags.randomAccess || flags.discontinuity ? FLAGS_FIELD_SIZE : 0;
}

function writeAdaptationField(out: Uint8Array, at: number, size: number, flags: FirstPacketFlags | undefined): void {
  out[at] = size - 1;
  if (size === 1) return;
  const end = at + size;
  const pcrBase = flags?.pcrBase ?? -1;
  out[at + 1] =
    (flags?.discontinuity === true ? 0x80 : 0) | (flags?.randomAccess === true ? 0x40 : 0) | (pcrBase >= 0 ? 0x10 : 0);
  let from = at + 2;
  if (pcrBase >= 0) {
    const high = Math.floor(pcrBase / 2);
    out[from] = high >>> 24;
    out[from + 1] = high >>> 16;
    out[from + 2] = high >>> 8;
    out[from + 3] = high;
    out[from + 4] = ((pcrBase % 2) << 7) | 0x7e;
    out[from + 5] = 0; // the extension: clocks here tick at 90 kHz
    from += 6;
  }
  out.fill(0xff, from, end);
}

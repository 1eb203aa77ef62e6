/** Bytes of a PES packet before PES_packet_length counts (ISO/IEC 13818-1 2.4.3.6). */
export const PES_PREFIX_SIZE = 6;

/** Bytes of the longest PES header: 9 fixed, 255 by PES_header_data_length. */
export const MAX_PES_HEADER_SIZE = 9 + 255;

export const STREAM_ID_PRIVATE_1 = 0xbd;
export const STREAM_ID_AUDIO = 0xc0;
export const STREAM_ID_VIDEO = 0xe0;

/** Stream ids whose packets have no optional header, and carry no elementary stream that anything here reads. */
const WITHOUT_HEADER = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

export type PesHeaderStatus = "complete" | "incomplete" | "malformed" | "irrelevant";

/** The header of one PES packet. One instance is refilled packet after packet. */
export class PesHeader {
  streamId = 0;
  /** Elementary stream bytes that follow the header; −1 where PES_packet_length is 0 (video only: no bound). */
  dataLength = -1;
  /** Size of the whole header, bytes. */
  headerLength = 0;
  dataAlignment = false;
  /** 33-bit counters, −1 where there is none. `dts` is −1 where it would equal `pts`. */
  pts = -1;
  dts = -1;

  /**
   * Reads the header at the beginning of `data[start, end)`.
   * @returns `incomplete` when more bytes are needed, `irrelevant` for padding and other packets without an
   *   elementary stream.
   */
  read(data: Uint8Array, start: number, end: number): PesHeaderStatus {
    this.pts = -1;
    this.dts = -1;
    this.dataAlignment = false;
    const available = end - start;
    for (let i = 0; i < 3 && i < available; i += 1) {
      if (data[start + i] !== (i === 2 ? 1 : 0)) return "malformed";
    }
    if (available < PES_PREFIX_SIZE) return "incomplete";
    this.streamId = data[start + 3] as number;
    if (this.streamId < 0xbc) return "malformed";
    if (WITHOUT_HEADER.has(this.streamId)) return "irrelevant";
    if (available < 9) return "incomplete";
    const packetLength = ((data[start + 4] as number) << 8) | (data[start + 5] as number);
    const flags = data[start + 6] as number;
    if ((flags & 0xc0) !== 0x80) return "malformed";
    this.headerLength = 9 + (data[start + 8] as number);
    if (available < this.headerLength) return "incomplete";
    this.dataAlignment = (flags & 0x04) !== 0;
    this.dataLength = packetLength === 0 ? -1 : packetLength + PES_PREFIX_SIZE - this.headerLength;
    if (packetLength !== 0 && this.dataLength < 0) return "malformed";
    const which = (data[start + 7] as number) >> 6;
    if (which >= 2 && this.headerLength >= 14) this.pts = readTimestamp(data, start + 9);
    if (which === 3 && this.headerLength >= 19) this.dts = readTimestamp(data, start + 14);
    if (this.dts === this.pts) this.dts = -1;
    return "complete";
  }
}

/** A 33-bit timestamp in its five bytes. The marker bits are not looked at: there are encoders that forget them. */
function readTimestamp(data: Uint8Array, at: number): number {
  const high = ((data[at] as number) >> 1) & 7;
  const middle = ((data[at + 1] as number) << 7) | ((data[at + 2] as number) >> 1);
  const low = ((data[at + 3] as number) << 7) | ((data[at + 4] as number) >> 1);
  return high * 0x40000000 + middle * 0x8000 + low;
}

/**
 * Writes a 33-bit timestamp in its five bytes.
 * @param marker the four bits in front: 2 for a lone PTS, 3 for a PTS before a DTS, 1 for a DTS.
 * @param ticks 0 to 2^33 − 1.
 */
export function writeTimestamp(out: Uint8Array, at: number, marker: 1 | 2 | 3, ticks: number): void {
  const high = Math.floor(ticks / 0x40000000);
  const rest = ticks % 0x40000000;
  out[at] = (marker << 4) | (high << 1) | 1;
  out[at + 1] = rest >> 22;
  out[at + 2] = ((rest >> 14) & 0xfe) | 1;
  out[at + 3] = rest >> 7;
  out[at + 4] = ((rest << 1) & 0xfe) | 1;
}

import { MediaError } from "../media-error.ts";

/** obu_type, AV1 6.2.2; those that anything here tells apart. */
export const AV1_OBU = {
  SEQUENCE_HEADER: 1,
  TEMPORAL_DELIMITER: 2,
  FRAME_HEADER: 3,
  TILE_GROUP: 4,
  METADATA: 5,
  FRAME: 6,
  REDUNDANT_FRAME_HEADER: 7,
  TILE_LIST: 8,
  PADDING: 15,
} as const;

/** Where one OBU lies in its temporal unit. */
export interface ObuSpan {
  readonly type: number;
  /** First byte of the OBU header. */
  readonly start: number;
  /** Bytes of the header: 1, or 2 with the extension. */
  readonly headerBytes: number;
  readonly hasSize: boolean;
  readonly payloadStart: number;
  /** One past the last byte of the payload. */
  readonly end: number;
}

/** A temporal unit that holds more OBUs than this is rejected. */
const MAX_OBUS = 4096;

/**
 * Finds the OBUs of a temporal unit in low-overhead format (AV1 5.2). Only the last may lack its size.
 * @throws MediaError
 */
export function scanObus(data: Uint8Array): ObuSpan[] {
  const spans: ObuSpan[] = [];
  let at = 0;
  while (at < data.length) {
    if (spans.length === MAX_OBUS) throw new MediaError("malformed", "too many OBUs in one temporal unit");
    const header = data[at] as number;
    if ((header & 0x80) !== 0) throw new MediaError("malformed", "OBU with its forbidden bit set");
    const headerBytes = (header & 4) !== 0 ? 2 : 1;
    const hasSize = (header & 2) !== 0;
    let payloadStart = at + headerBytes;
    if (payloadStart > data.length) throw new MediaError("truncated", "OBU header cut off");
    let end = data.length;
    if (hasSize) {
      const size = readLeb128(data, payloadStart);
      payloadStart += size.bytes;
      end = payloadStart + size.value;
      if (end > data.length) throw new MediaError("truncated", "OBU longer than its temporal unit");
    }
    spans.push({ type: (header >> 3) & 15, start: at, headerBytes, hasSize, payloadStart, end });
    at = end;
  }
  return spans;
}

/** leb128(), AV1 4.10.5. @throws MediaError */
export function readLeb128(data: Uint8Array, at: number): { value: number; bytes: number } {
  let value = 0;
  for (let i = 0; i < 8; i += 1) {
    const byte = data[at + i];
    if (byte === undefined) throw new MediaError("truncated", "leb128 cut off");
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) {
      if (value > 0xffffffff) break;
      return { value, bytes: i + 1 };
    }
  }
  throw new MediaError("malformed", "leb128 of more than 32 bits");
}

/** Bytes that `value` takes as leb128. */
export function leb128Bytes(value: number): number {
  let bytes = 1;
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes += 1;
  return bytes;
}

/** Writes `value` as leb128 at `at`; returns the bytes written. */
export function writeLeb128(out: Uint8Array, at: number, value: number): number {
  let left = value;
  let bytes = 0;
  do {
    const more = left >= 128;
    out[at + bytes] = (left % 128) | (more ? 0x80 : 0);
    left = Math.floor(left / 128);
    bytes += 1;
  } while (left > 0);
  return bytes;
}

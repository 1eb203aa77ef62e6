import { MediaError } from "../media-error.ts";

/** Bytes of an RTP header without contributing sources and extension. */
export const RTP_HEADER_BYTES = 12;

const VERSION = 2;
/** RFC 8285 § 4.2 and § 4.3: what the first 16 bits of a header extension say of the form of its elements. */
const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x1000;

/**
 * One RTP packet as it is read (RFC 3550 § 5.1, header extensions RFC 8285). Meant to be kept and filled again by
 * {@link RtpPacket.read}: everything it answers are numbers and views of the packet's bytes, valid as long as those are.
 */
export class RtpPacket {
  #data: Uint8Array = new Uint8Array(0);
  #payloadStart = 0;
  #payloadEnd = 0;
  #extensionStart = 0;
  #extensionEnd = 0;
  #extensionProfile = 0;

  /** The whole packet; empty before the first was read. */
  get data(): Uint8Array {
    return this.#data;
  }

  marker = false;
  /** 0 to 127. */
  payloadType = 0;
  /** 16 bits, wrapping. */
  sequenceNumber = 0;
  /** 32 bits, wrapping, in units of the codec's clock. */
  timestamp = 0;
  /** 32 bits. */
  ssrc = 0;
  /** How many contributing sources there are, 0 to 15. */
  csrcCount = 0;

  /**
   * Takes the packet in; nothing is copied.
   * @returns this.
   * @throws MediaError `truncated`, `malformed`; the fields are then undefined until the next call.
   */
  read(data: Uint8Array): this {
    const length = data.length;
    if (length < RTP_HEADER_BYTES) throw new MediaError("truncated", "RTP packet shorter than its header");
    const first = data[0] as number;
    if (first >> 6 !== VERSION) throw new MediaError("malformed", `RTP version ${first >> 6}`);
    const second = data[1] as number;
    this.marker = second >= 0x80;
    this.payloadType = second & 0x7f;
    this.sequenceNumber = readU16(data, 2);
    this.timestamp = readU32(data, 4);
    this.ssrc = readU32(data, 8);
    this.csrcCount = first & 15;

    let at = RTP_HEADER_BYTES + 4 * this.csrcCount;
    this.#extensionStart = at;
    this.#extensionEnd = at;
    this.#extensionProfile = 0;
    if ((first & 0x10) !== 0) {
      if (at + 4 > length) throw new MediaError("truncated", "RTP header extension cut off");
      this.#extensionProfile = readU16(data, at);
      this.#extensionStart = at + 4;
      at += 4 + 4 * readU16(data, at + 2);
      this.#extensionEnd = at;
    }
    if (at > length) throw new MediaError("truncated", "RTP header longer than its packet");
    let end = length;
    if ((first & 0x20) !== 0) {
      const padding = data[length - 1] as number;
      if (padding === 0 || padding > length - at)
        throw new MediaError("malformed", "RTP padding of an impossible size");
      end -= padding;
    }
    this.#data = data;
    this.#payloadStart = at;
    this.#payloadEnd = end;
    return this;
  }

  /** A view. Empty where the packet is padding alone, as senders probe for bandwidth with. */
  get payload(): Uint8Array {
    return this.#data.subarray(this.#payloadStart, this.#payloadEnd);
  }

  get payloadBytes(): number {
    return this.#payloadEnd - this.#payloadStart;
  }

  /** The contributing source of that index; `undefined` where there are fewer. */
  csrc(index: number): number | undefined {
    return index < 0 || index >= this.csrcCount ? undefined : readU32(this.#data, RTP_HEADER_BYTES + 4 * index);
  }

  /**
   * The header extension of that id (as `a=extmap` names it), a view; the first where it is there twice. `undefined` where there
   * is none, also where what precedes it in the header is cut off: extensions may be passed over (RFC 8285 § 4.1).
   */
  extension(id: number): Uint8Array | undefined {
    let found: Uint8Array | undefined;
    this.forEachExtension((present, value) => {
      if (present !== id) return true;
      found = value;
      return false;
    });
    return found;
  }

  /** Calls `visit` with each header extension in order until it answers false. */
  forEachExtension(visit: (id: number, value: Uint8Array) => boolean): void {
    const oneByte = this.#extensionProfile === ONE_BYTE_PROFILE;
    if (!oneByte && (this.#extensionProfile & 0xfff0) !== TWO_BYTE_PROFILE) return;
    const data = this.#data;
    const end = this.#extensionEnd;
    let at = this.#extensionStart;
    while (at < end) {
      const head = data[at] as number;
      const id = oneByte ? head >> 4 : head;
      // A zero is padding, of one byte in both forms; in the two-byte form an element of id 0 has no length either.
      if (id === 0) {
        at += 1;
        continue;
      }
      if (oneByte && id === 15) return;
      const start = at + (oneByte ? 1 : 2);
      if (start > end) return;
      const size = oneByte ? (head & 15) + 1 : (data[at + 1] as number);
      if (start + size > end) return;
      if (!visit(id, data.subarray(start, start + size))) return;
      at = start + size;
    }
  }
}

/** A header extension to send: `id` 1 to 255, `value` up to 255 bytes. */
export interface RtpHeaderExtension {
  readonly id: number;
  readonly value: Uint8Array;
}

export interface RtpHeaderFields {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly csrcs?: readonly number[];
  readonly extensions?: readonly RtpHeaderExtension[];
}

/** Bytes that {@link writeRtpHeader} will write. @throws RangeError for fields that no header can carry. */
export function rtpHeaderBytes(fields: RtpHeaderFields): number {
  const csrcs = fields.csrcs?.length ?? 0;
  if (csrcs > 15) throw new RangeError("more than 15 contributing sources");
  return RTP_HEADER_BYTES + 4 * csrcs + extensionBlockBytes(fields.extensions ?? []);
}

/**
 * Writes a header at the beginning of `out`. Extensions are written in the one-byte form where it can carry them, else in
 * the two-byte form (RFC 8285 § 4.1.2).
 * @returns where the payload begins.
 * @throws RangeError for fields that no header can carry, or an `out` that is too short.
 */
export function writeRtpHeader(out: Uint8Array, fields: RtpHeaderFields): number {
  const bytes = rtpHeaderBytes(fields);
  if (bytes > out.length) throw new RangeError("no room for the RTP header");
  const csrcs = fields.csrcs ?? [];
  const extensions = fields.extensions ?? [];
  out[0] = (VERSION << 6) | (extensions.length > 0 ? 0x10 : 0) | csrcs.length;
  out[1] = (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f);
  writeU16(out, 2, fields.sequenceNumber);
  writeU32(out, 4, fields.timestamp);
  writeU32(out, 8, fields.ssrc);
  let at = RTP_HEADER_BYTES;
  for (const csrc of csrcs) {
    writeU32(out, at, csrc);
    at += 4;
  }
  if (extensions.length === 0) return at;
  const oneByte = fitOneByteForm(extensions);
  writeU16(out, at, oneByte ? ONE_BYTE_PROFILE : TWO_BYTE_PROFILE);
  writeU16(out, at + 2, (bytes - at - 4) / 4);
  at += 4;
  for (const { id, value } of extensions) {
    if (oneByte) {
      out[at] = (id << 4) | (value.length - 1);
      at += 1;
    } else {
      out[at] = id;
      out[at + 1] = value.length;
      at += 2;
    }
    out.set(value, at);
    at += value.length;
  }
  out.fill(0, at, bytes);
  return bytes;
}

function fitOneByteForm(extensions: readonly RtpHeaderExtension[]): boolean {
  return extensions.every(({ id, value }) => id < 15 && value.length >= 1 && value.length <= 16);
}

function extensionBlockBytes(extensions: readonly RtpHeaderExtension[]): number {
  if (extensions.length === 0) return 0;
  const perElement = fitOneByteForm(extensions) ? 1 : 2;
  let bytes = 0;
  for (const { id, value } of extensions) {
    if (id < 1 || id > 255 || value.length > 255) throw new RangeError("header extension that no RTP header can carry");
    bytes += perElement + value.length;
  }
  return 4 + 4 * Math.ceil(bytes / 4);
}

export function readU16(data: Uint8Array, at: number): number {
  return ((data[at] as number) << 8) | (data[at + 1] as number);
}

export function readU32(data: Uint8Array, at: number): number {
  return readU16(data, at) * 0x10000 + readU16(data, at + 2);
}

export function writeU16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 8;
  out[at + 1] = value;
}

/** @param value any integer; its low 32 bits are written. */
export function writeU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

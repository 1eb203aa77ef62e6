import type { VideoTrack } from "../access-unit.ts";
import { Av1ElementaryStream } from "../av1/av1-elementary-stream.ts";
import { AV1_OBU, leb128Bytes, readLeb128, writeLeb128 } from "../av1/obu.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { MediaError } from "../media-error.ts";
import type { VideoPayloadFormat } from "./depacketizer.ts";
import { FrameBuffer } from "./frame-buffer.ts";

/** Bits of the aggregation header, AV1 RTP § 4.4. */
export const AV1_AGGREGATION = { CONTINUES: 0x80, CONTINUED: 0x40, NEW_SEQUENCE: 0x08 } as const;

const MAX_OBUS = 4096;
const HAS_SIZE = 2;
const HAS_EXTENSION = 4;

/** One OBU in the temporal unit, without its size field. */
interface ObuPart {
  readonly header: number;
  /** `undefined` without an extension. */
  readonly extension: number | undefined;
  readonly payloadStart: number;
  readonly end: number;
}

/**
 * The payload format of AV1 (RTP Payload Format For AV1, version 1.0): temporal units of OBUs, which come without sizes and
 * in fragments. Sizes are put back; temporal delimiters, tile lists and padding are left out.
 */
export class Av1PayloadFormat implements VideoPayloadFormat {
  readonly #stream: Av1ElementaryStream;
  /** OBUs as they came, one after the other; they end at `#ends`. */
  readonly #frame = new FrameBuffer();
  readonly #ends: number[] = [];
  /** The last OBU goes on in the next packet. */
  #continued = false;

  constructor(trackId: number) {
    this.#stream = new Av1ElementaryStream(trackId);
  }

  get track(): VideoTrack | undefined {
    return this.#stream.track;
  }

  /** N says so; senders that do not set it begin with a sequence header or a temporal delimiter. */
  begin(payload: Uint8Array, sure: boolean): boolean {
    if (sure) return true;
    const aggregation = payload[0] as number;
    if ((aggregation & AV1_AGGREGATION.CONTINUES) !== 0) return false;
    if ((aggregation & AV1_AGGREGATION.NEW_SEQUENCE) !== 0) return true;
    const oneElement = ((aggregation >> 4) & 3) === 1;
    let at = 1;
    if (!oneElement) while ((payload[at] ?? 0) >= 0x80) at += 1;
    const header = payload[oneElement ? at : at + 1];
    const type = header === undefined ? 0 : (header >> 3) & 15;
    return type === AV1_OBU.SEQUENCE_HEADER || type === AV1_OBU.TEMPORAL_DELIMITER;
  }

  append(payload: Uint8Array): void {
    const aggregation = payload[0] as number;
    const continues = (aggregation & AV1_AGGREGATION.CONTINUES) !== 0;
    if (continues !== this.#continued) {
      throw new MediaError("malformed", continues ? "an OBU without its beginning" : "an OBU without its end");
    }
    const count = (aggregation >> 4) & 3;
    let at = 1;
    for (let i = 1; at < payload.length; i += 1) {
      let end = payload.length;
      if (i !== count) {
        const length = readLeb128(payload, at);
        at += length.bytes;
        end = at + length.value;
        if (end > payload.length) throw new MediaError("truncated", "OBU element longer than its packet");
      }
      this.#frame.append(payload.subarray(at, end));
      at = end;
      const isLast = at === payload.length;
      if (isLast && i < count) throw new MediaError("truncated", "fewer OBU elements than announced");
      this.#continued = isLast && (aggregation & AV1_AGGREGATION.CONTINUED) !== 0;
      if (!this.#continued) this.#endObu();
    }
  }

  finish(): CodedFrame {
    try {
      if (this.#continued) throw new MediaError("malformed", "an OBU without its end");
      const frame = this.#stream.push(this.#temporalUnit());
      return { ...frame, data: this.#frame.detached(frame.data) };
    } finally {
      this.discard();
    }
  }

  discard(): void {
    this.#frame.clear();
    this.#ends.length = 0;
    this.#continued = false;
  }

  #endObu(): void {
    if (this.#ends.length === MAX_OBUS) throw new MediaError("malformed", "too many OBUs in one temporal unit");
    this.#ends.push(this.#frame.length);
  }

  /** In low-overhead format (AV1 § 5.2), every OBU with its size. */
  #temporalUnit(): Uint8Array {
    const bytes = this.#frame.view;
    const parts: ObuPart[] = [];
    let total = 0;
    let start = 0;
    for (const end of this.#ends) {
      const part = start === end ? undefined : readObu(bytes, start, end);
      start = end;
      if (part === undefined) continue;
      parts.push(part);
      const size = part.end - part.payloadStart;
      total += (part.extension === undefined ? 1 : 2) + leb128Bytes(size) + size;
    }
    const out = new Uint8Array(total);
    let at = 0;
    for (const { header, extension, payloadStart, end } of parts) {
      out[at++] = header | HAS_SIZE;
      if (extension !== undefined) out[at++] = extension;
      at += writeLeb128(out, at, end - payloadStart);
      out.set(bytes.subarray(payloadStart, end), at);
      at += end - payloadStart;
    }
    return out;
  }
}

/** An OBU element, with a size field or without; `undefined` for one that is left out. @throws MediaError */
function readObu(bytes: Uint8Array, start: number, end: number): ObuPart | undefined {
  const header = bytes[start] as number;
  if ((header & 0x80) !== 0) throw new MediaError("malformed", "OBU with its forbidden bit set");
  let at = start + 1;
  let extension: number | undefined;
  if ((header & HAS_EXTENSION) !== 0) {
    if (at >= end) throw new MediaError("truncated", "OBU header cut off");
    extension = bytes[at] as number;
    at += 1;
  }
  if ((header & HAS_SIZE) !== 0) {
    const size = readLeb128(bytes.subarray(0, end), at);
    at += size.bytes;
    if (at + size.value !== end) throw new MediaError("malformed", "OBU size that contradicts its element");
  }
  switch ((header >> 3) & 15) {
    case AV1_OBU.TEMPORAL_DELIMITER:
    case AV1_OBU.TILE_LIST:
    case AV1_OBU.PADDING:
      return undefined;
    default:
      return { header, extension, payloadStart: at, end };
  }
}

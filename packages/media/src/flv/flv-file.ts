import { copyBytes } from "../bits/copy-bytes.ts";
import { MediaError } from "../media-error.ts";

const TAG_TYPES = { audio: 8, video: 9, script: 18 } as const;

/** A tag of an FLV file. */
export interface FlvTag {
  readonly kind: "audio" | "video" | "script";
  /** ms, 0 to 2^32 - 1. */
  readonly timestampMs: number;
  readonly body: Uint8Array;
}

const FILE_HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
const PREVIOUS_TAG_SIZE_BYTES = 4;

/** The file header and the first PreviousTagSize (FLV 10.1 E.2, E.3). */
export function flvFileHeader(has: { readonly audio: boolean; readonly video: boolean }): Uint8Array {
  return Uint8Array.from([0x46, 0x4c, 0x56, 1, (has.audio ? 4 : 0) | (has.video ? 1 : 0), 0, 0, 0, 9, 0, 0, 0, 0]);
}

/**
 * One tag and the PreviousTagSize behind it (FLV 10.1 E.4).
 * @throws MediaError when the body is 16 MiB or more.
 */
export function flvFileTag(tag: FlvTag): Uint8Array {
  const size = tag.body.length;
  if (size > 0xffffff) throw new MediaError("malformed", "body too long for an FLV tag");
  const out = new Uint8Array(TAG_HEADER_BYTES + size + PREVIOUS_TAG_SIZE_BYTES);
  const view = new DataView(out.buffer);
  view.setUint32(0, TAG_TYPES[tag.kind] * 2 ** 24 + size);
  const timestamp = tag.timestampMs % 2 ** 32;
  view.setUint32(4, (timestamp % 2 ** 24) * 256 + Math.floor(timestamp / 2 ** 24));
  out.set(tag.body, TAG_HEADER_BYTES);
  view.setUint32(TAG_HEADER_BYTES + size, TAG_HEADER_BYTES + size);
  return out;
}

/** Reads an FLV file that arrives in pieces. Tags of other types are passed over; sizes of previous tags are not believed. */
export class FlvFileReader {
  readonly #maxTagBytes: number;
  #rest: Uint8Array = new Uint8Array(0);
  #skip = 0;
  #headerRead = false;

  /** @param maxTagBytes a longer tag body is an error; the format allows 16 MiB. */
  constructor(maxTagBytes = 0xffffff) {
    this.#maxTagBytes = maxTagBytes;
  }

  /**
   * Calls `onTag` for every tag that is complete with these bytes; its body is a view of them where possible.
   * @throws MediaError when it is no FLV file; nothing more can be read then.
   */
  push(bytes: Uint8Array, onTag: (tag: FlvTag) => void): void {
    let data = bytes;
    if (this.#rest.length > 0) {
      data = new Uint8Array(this.#rest.length + bytes.length);
      data.set(this.#rest);
      data.set(bytes, this.#rest.length);
    }
    let at = 0;
    for (;;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, data.length - at);
        this.#skip -= skipped;
        at += skipped;
        if (this.#skip > 0) break;
      }
      const read = this.#headerRead ? this.#readTag(data, at, onTag) : this.#readHeader(data, at);
      if (read === 0) break;
      at += read;
    }
    this.#rest = copyBytes(data, at);
  }

  /** Bytes of a tag begun, held until the rest comes. */
  get heldBytes(): number {
    return this.#rest.length;
  }

  #readHeader(data: Uint8Array, at: number): number {
    if (data.length - at < FILE_HEADER_BYTES) return 0;
    if (data[at] !== 0x46 || data[at + 1] !== 0x4c || data[at + 2] !== 0x56)
      throw new MediaError("malformed", "no FLV signature");
    const headerBytes = uint32(data, at + 5);
    if (headerBytes < FILE_HEADER_BYTES) throw new MediaError("malformed", "FLV header shorter than itself");
    this.#headerRead = true;
    this.#skip = headerBytes - FILE_HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES;
    return FILE_HEADER_BYTES;
  }

  #readTag(data: Uint8Array, at: number, onTag: (tag: FlvTag) => void): number {
    if (data.length - at < TAG_HEADER_BYTES) return 0;
    const size = uint32(data, at) % 2 ** 24;
    if (size > this.#maxTagBytes) throw new MediaError("malformed", `FLV tag of ${size} bytes`);
    const end = at + TAG_HEADER_BYTES + size;
    if (end > data.length) return 0;
    const type = (data[at] as number) & 0x1f;
    const encrypted = ((data[at] as number) & 0x20) !== 0;
    if (encrypted) throw new MediaError("unsupported", "encrypted FLV");
    const kind =
      type === TAG_TYPES.audio
        ? "audio"
        : type === TAG_TYPES.video
          ? "video"
          : type === TAG_TYPES.script
            ? "script"
            : undefined;
    if (kind !== undefined) {
      const stamp = uint32(data, at + 4);
      const timestampMs = Math.floor(stamp / 256) + (stamp % 256) * 2 ** 24;
      onTag({ kind, timestampMs, body: data.subarray(at + TAG_HEADER_BYTES, end) });
    }
    this.#skip = PREVIOUS_TAG_SIZE_BYTES;
    return end - at;
  }
}

function uint32(data: Uint8Array, at: number): number {
  return (
    (((data[at] as number) << 24) |
      ((data[at + 1] as number) << 16) |
      ((data[at + 2] as number) << 8) |
      (data[at + 3] as number)) >>>
    0
  );
}

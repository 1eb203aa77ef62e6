import { copyBytes } from "../bits/copy-bytes.ts";
import { MediaError } from "../media-error.ts";

/** An access unit above this size is dropped: 8 MiB, a second of video at 67 Mb/s. */
export const MAX_ACCESS_UNIT_BYTES = 8 * 1024 * 1024;

const FIRST_BYTES = 32 * 1024;

/** Where the parts of one access unit are put together. Kept by its owner and filled again for each. */
export class FrameBuffer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What it holds, a view: valid until the next change. */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @throws MediaError `malformed` where the access unit grows too large. */
  append(part: Uint8Array): void {
    const at = this.#extend(part.length);
    this.#bytes.set(part, at);
  }

  /** @throws MediaError `malformed` where the access unit grows too large. */
  appendByte(byte: number): void {
    const at = this.#extend(1);
    this.#bytes[at] = byte;
  }

  /** Appends a 32-bit number, to be set right later with {@link setU32}. @returns where it is. */
  appendU32(value: number): number {
    const at = this.#extend(4);
    this.setU32(at, value);
    return at;
  }

  setU32(at: number, value: number): void {
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  clear(): void {
    this.#length = 0;
  }

  /** `data` in memory of its own: it is copied where it is a view of this buffer. */
  detached(data: Uint8Array): Uint8Array {
    return data.buffer === this.#bytes.buffer ? copyBytes(data) : data;
  }

  #extend(count: number): number {
    const at = this.#length;
    const length = at + count;
    if (length > MAX_ACCESS_UNIT_BYTES) throw new MediaError("malformed", "access unit of an absurd size");
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(MAX_ACCESS_UNIT_BYTES, Math.max(2 * this.#bytes.length, length)));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = length;
    return at;
  }
}

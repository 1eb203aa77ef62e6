import { MediaError } from "../media-error.ts";

/** An access unit that holds more NAL units than this is rejected: no encoder comes near, an attacker might. */
export const MAX_NAL_UNITS = 4096;

/** Size of the length field in front of each NAL unit of a length-prefixed access unit, bytes. */
export type NalLengthSize = 1 | 2 | 4;

/**
 * Where the NAL units of one access unit lie, found in one scan: `spans[2i]` is the first byte of the i-th
 * (its header), `spans[2i + 1]` is one past its last. Kept and refilled by its owner, so that nothing is allocated per access unit.
 */
export class NalSpans {
  #spans = new Uint32Array(64);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  start(index: number): number {
    return this.#spans[2 * index] as number;
  }

  end(index: number): number {
    return this.#spans[2 * index + 1] as number;
  }

  /** Bytes of all NAL units together, without prefixes. */
  get payloadBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.#count; i += 1) bytes += this.end(i) - this.start(i);
    return bytes;
  }

  /**
   * Finds the NAL units of an Annex B byte stream (3- and 4-byte start codes, trailing zeros cut off).
   * Bytes before the first start code belong to no NAL unit. Empty NAL units are left out.
   * @throws MediaError `malformed` for more than {@link MAX_NAL_UNITS}.
   */
  scanAnnexB(data: Uint8Array): void {
    this.#count = 0;
    const length = data.length;
    let start = -1;
    // `i` is where the third byte of a start code would be; the first two are looked at only when that byte fits.
    let i = 2;
    while (i < length) {
      const byte = data[i] as number;
      if (byte > 1) {
        i += 3;
      } else if (byte === 1) {
        if (data[i - 1] === 0 && data[i - 2] === 0) {
          if (start >= 0) this.#pushTrimmed(data, start, i - 2);
          start = i + 1;
        }
        i += 3;
      } else {
        i += 1;
      }
    }
    if (start >= 0) this.#pushTrimmed(data, start, length);
  }

  /**
   * Finds the NAL units of a length-prefixed access unit. Empty NAL units are left out.
   * @throws MediaError `truncated` when a length reaches past the end, `malformed` for more than {@link MAX_NAL_UNITS}.
   */
  scanLengthPrefixed(data: Uint8Array, lengthSize: NalLengthSize): void {
    this.#count = 0;
    const total = data.length;
    let at = 0;
    while (at < total) {
      if (at + lengthSize > total) throw new MediaError("truncated", "NAL unit length cut off");
      let length = 0;
      for (let i = 0; i < lengthSize; i += 1) length = length * 256 + (data[at + i] as number);
      at += lengthSize;
      if (length > total - at) throw new MediaError("truncated", "NAL unit longer than its access unit");
      if (length > 0) this.#push(at, at + length);
      at += length;
    }
  }

  #pushTrimmed(data: Uint8Array, start: number, end: number): void {
    let last = end;
    while (last > start && data[last - 1] === 0) last -= 1;
    if (last > start) this.#push(start, last);
  }

  #push(start: number, end: number): void {
    if (this.#count === MAX_NAL_UNITS) throw new MediaError("malformed", "too many NAL units in one access unit");
    if (2 * this.#count === this.#spans.length) {
      const grown = new Uint32Array(this.#spans.length * 4);
      grown.set(this.#spans);
      this.#spans = grown;
    }
    this.#spans[2 * this.#count] = start;
    this.#spans[2 * this.#count + 1] = end;
    this.#count += 1;
  }
}

import { MediaError } from "../media-error.ts";

/** Reads big-endian bit fields and Exp-Golomb codes. Reading past the end throws `MediaError` `truncated`. */
export class BitReader {
  readonly #data: Uint8Array;
  readonly #endBit: number;
  #bit: number;

  /** @param start first byte, @param end one past the last byte. */
  constructor(data: Uint8Array, start = 0, end = data.length) {
    this.#data = data;
    this.#bit = start * 8;
    this.#endBit = Math.min(end, data.length) * 8;
  }

  get bitsLeft(): number {
    return this.#endBit - this.#bit;
  }

  /** Bits from the beginning of the buffer given to the constructor. */
  get bitPosition(): number {
    return this.#bit;
  }

  /** An unsigned field of `count` bits, 0 to 32. */
  u(count: number): number {
    if (this.#bit + count > this.#endBit) throw new MediaError("truncated", "bit field past the end");
    let value = 0;
    let left = count;
    while (left > 0) {
      const byte = this.#data[this.#bit >> 3] as number;
      const available = 8 - (this.#bit & 7);
      const take = Math.min(left, available);
      const bits = (byte >> (available - take)) & ((1 << take) - 1);
      value = value * (1 << take) + bits;
      this.#bit += take;
      left -= take;
    }
    return value;
  }

  flag(): boolean {
    if (this.#bit >= this.#endBit) throw new MediaError("truncated", "flag past the end");
    const set = ((this.#data[this.#bit >> 3] as number) >> (7 - (this.#bit & 7))) & 1;
    this.#bit += 1;
    return set === 1;
  }

  skip(count: number): void {
    if (this.#bit + count > this.#endBit) throw new MediaError("truncated", "skipped past the end");
    this.#bit += count;
  }

  /** Moves to the next byte boundary. */
  align(): void {
    this.#bit = (this.#bit + 7) & ~7;
  }

  /** ue(v), H.264 9.1: 0 to 2^32 - 2. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > 31) throw new MediaError("malformed", "Exp-Golomb code longer than 32 bits");
    }
    return zeros === 0 ? 0 : 2 ** zeros - 1 + this.u(zeros);
  }

  /** se(v), H.264 9.1.1. */
  se(): number {
    const code = this.ue();
    const magnitude = Math.ceil(code / 2);
    return code % 2 === 0 ? -magnitude || 0 : magnitude;
  }

  /** more_rbsp_data(), H.264 7.2: whether anything precedes the stop bit. */
  moreRbspData(): boolean {
    if (this.#bit >= this.#endBit) return false;
    let last = (this.#endBit >> 3) - 1;
    const first = this.#bit >> 3;
    while (last > first && this.#data[last] === 0) last -= 1;
    const byte = this.#data[last] as number;
    if (byte === 0) return false;
    const stopBit = last * 8 + 7 - Math.log2(byte & -byte);
    return this.#bit < stopBit;
  }
}

/** Appends big-endian bit fields to a growing buffer. For configuration records, not for payloads. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #free = 0;

  /** Appends the low `count` bits (0 to 32) of `value`. */
  u(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit -= 1) {
      if (this.#free === 0) {
        this.#bytes.push(0);
        this.#free = 8;
      }
      this.#free -= 1;
      if (Math.floor(value / 2 ** bit) % 2 === 1) {
        const last = this.#bytes.length - 1;
        this.#bytes[last] = (this.#bytes[last] as number) | (1 << this.#free);
      }
    }
    return this;
  }

  flag(value: boolean): this {
    return this.u(1, value ? 1 : 0);
  }

  /** Appends whole bytes; the position must be on a byte boundary or they are shifted in bit by bit. */
  bytes(data: Uint8Array): this {
    for (const byte of data) {
      if (this.#free === 0) this.#bytes.push(byte);
      else this.u(8, byte);
    }
    return this;
  }

  /** What was written, the last byte filled up with zero bits. */
  toBytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

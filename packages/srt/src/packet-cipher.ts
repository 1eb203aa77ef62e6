import { type Cipheriv, createCipheriv } from "node:crypto";
import { HEADER_SIZE, MAX_PAYLOAD_SIZE } from "./packet.ts";

const BLOCK = 16;
const MAX_BLOCKS = Math.ceil(MAX_PAYLOAD_SIZE / BLOCK);

/**
 * AES-CTR over the payload of data packets, in place (section 6.2.2). The counter block is the salt's first
 * 112 bits xor the packet's sequence number at octets 10 to 13, then a 16-bit block counter.
 *
 * A CTR cipher object would have to be made for each packet, which costs several times the encryption; so the
 * key stream is made by one ECB cipher object that lives as long as the key: CTR is exactly that, plus xor.
 */
export class PacketCipher {
  readonly #ecb: Cipheriv;
  readonly #counters = Buffer.alloc(MAX_BLOCKS * BLOCK);
  readonly #words: DataView;
  readonly #saltHigh: number;
  readonly #saltLow: number;

  /**
   * @param key 16, 24 or 32 bytes
   * @param salt 16 bytes
   */
  constructor(key: Buffer, salt: Buffer) {
    this.#ecb = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
    for (let block = 0; block < MAX_BLOCKS; block++) {
      salt.copy(this.#counters, block * BLOCK, 0, 8);
      this.#counters.writeUInt16BE(block, block * BLOCK + 14);
    }
    this.#words = new DataView(this.#counters.buffer, this.#counters.byteOffset, this.#counters.length);
    this.#saltHigh = salt.readUInt32BE(8);
    this.#saltLow = salt.readUInt16BE(12);
  }

  /**
   * Encrypts or decrypts everything behind the header of `packet`, up to `length` bytes of it.
   * @param sequence 31 bits as on the wire
   */
  apply(packet: Buffer, length: number, sequence: number): void {
    const size = length - HEADER_SIZE;
    const blocks = Math.ceil(size / BLOCK);
    if (blocks > MAX_BLOCKS) throw new RangeError(`payload of ${size} bytes`);
    if (size <= 0) return;
    const words = this.#words;
    const high = this.#saltHigh ^ (sequence >>> 16);
    const low = (this.#saltLow ^ (sequence & 0xffff)) << 16;
    for (let block = 0; block < blocks; block++) {
      words.setUint32(block * BLOCK + 8, high);
      words.setUint32(block * BLOCK + 12, low | block);
    }
    const stream = this.#ecb.update(
      blocks === MAX_BLOCKS ? this.#counters : this.#counters.subarray(0, blocks * BLOCK),
    );
    const offset = packet.byteOffset + HEADER_SIZE;
    let done = 0;
    if ((offset & 3) === 0 && (stream.byteOffset & 3) === 0) {
      const count = size >> 2;
      const target = new Uint32Array(packet.buffer, offset, count);
      const source = new Uint32Array(stream.buffer, stream.byteOffset, count);
      for (let index = 0; index < count; index++) target[index] = (target[index] as number) ^ (source[index] as number);
      done = count << 2;
    }
    for (; done < size; done++) {
      packet[HEADER_SIZE + done] = (packet[HEADER_SIZE + done] as number) ^ (stream[done] as number);
    }
  }
}

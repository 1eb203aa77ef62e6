import { type Cipheriv, createCipheriv } from "node:crypto";
import { HEADER_SIZE, MAX_PAYLOAD_SIZE } from "./packet.ts";

const BLOCK = 16;
const MAX_BLOCKS = Math.ceil(MAX_PAYLOAD_SIZE / BLOCK);
/** Packets whose key stream is made at once. Divides the number of sequence numbers. */
const GROUP_SHIFT = 4;
const GROUP = 1 << GROUP_SHIFT;

/**
 * AES-CTR over the payload of data packets, in place (section 6.2.2). The counter block is the salt's first
 * 112 bits xor the packet's sequence number at octets 10 to 13, then a 16-bit block counter.
 *
 * A CTR cipher object would have to be made for each packet, which costs several times the encryption; so the
 * key stream is made by one ECB cipher object that lives as long as the key: CTR is exactly that, plus xor. And
 * since the key stream depends on nothing but the sequence number, it is made for sixteen packets in one call.
 */
export class PacketCipher {
  readonly #ecb: Cipheriv;
  readonly #counters = Buffer.alloc(GROUP * MAX_BLOCKS * BLOCK);
  readonly #words: DataView;
  readonly #saltHigh: number;
  readonly #saltLow: number;
  /** The two newest groups' key streams, by the group's lowest bit. */
  readonly #streams: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  readonly #groups: [number, number] = [-1, -1];
  readonly #groupBlocks: [number, number] = [0, 0];
  #newest = -1;
  /** Blocks a packet that groups are made with: the most that any packet has needed. */
  #blocks = 1;

  /**
   * @param key 16, 24 or 32 bytes
   * @param salt 16 bytes
   */
  constructor(key: Buffer, salt: Buffer) {
    this.#ecb = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
    for (let at = 0; at < this.#counters.length; at += BLOCK) salt.copy(this.#counters, at, 0, 8);
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
    if (size <= 0) return;
    const blocks = Math.ceil(size / BLOCK);
    if (blocks > MAX_BLOCKS) throw new RangeError(`payload of ${size} bytes`);
    if (blocks > this.#blocks) this.#blocks = blocks;
    const group = sequence >>> GROUP_SHIFT;
    const slot = (group & 1) as 0 | 1;
    if (this.#groups[slot] !== group && isNewer(group, this.#newest)) this.#makeGroup(group, slot);
    if (this.#groups[slot] === group && (this.#groupBlocks[slot] as number) >= blocks) {
      const at = (sequence & (GROUP - 1)) * (this.#groupBlocks[slot] as number) * BLOCK;
      xor(packet, size, this.#streams[slot] as Buffer, at);
    } else {
      this.#count(0, sequence, blocks);
      xor(packet, size, this.#ecb.update(this.#counters.subarray(0, blocks * BLOCK)), 0);
    }
  }

  #makeGroup(group: number, slot: 0 | 1): void {
    const blocks = this.#blocks;
    for (let index = 0; index < GROUP; index++) {
      this.#count(index * blocks * BLOCK, (group << GROUP_SHIFT) + index, blocks);
    }
    this.#streams[slot] = this.#ecb.update(this.#counters.subarray(0, GROUP * blocks * BLOCK));
    this.#groups[slot] = group;
    this.#groupBlocks[slot] = blocks;
    this.#newest = group;
  }

  /** Writes one packet's counter blocks. */
  #count(at: number, sequence: number, blocks: number): void {
    const words = this.#words;
    const high = this.#saltHigh ^ (sequence >>> 16);
    const low = (this.#saltLow ^ (sequence & 0xffff)) << 16;
    for (let block = 0; block < blocks; block++) {
      words.setUint32(at + block * BLOCK + 8, high);
      words.setUint32(at + block * BLOCK + 12, low | block);
    }
  }
}

/** Whether `group` lies after `newest`, in the half of the number space before it. */
function isNewer(group: number, newest: number): boolean {
  if (newest < 0) return true;
  const distance = (group - newest) & (0x7fff_ffff >>> GROUP_SHIFT);
  return distance > 0 && distance < 1 << (30 - GROUP_SHIFT);
}

/** Payload ^= stream, by words where both are aligned to them. */
function xor(packet: Buffer, size: number, stream: Buffer, at: number): void {
  const offset = packet.byteOffset + HEADER_SIZE;
  const streamOffset = stream.byteOffset + at;
  let done = 0;
  if (((offset | streamOffset) & 3) === 0) {
    const count = size >> 2;
    const target = new Uint32Array(packet.buffer, offset, count);
    const source = new Uint32Array(stream.buffer, streamOffset, count);
    for (let index = 0; index < count; index++) target[index] = (target[index] as number) ^ (source[index] as number);
    done = count << 2;
  }
  for (; done < size; done++) {
    packet[HEADER_SIZE + done] = (packet[HEADER_SIZE + done] as number) ^ (stream[at + done] as number);
  }
}

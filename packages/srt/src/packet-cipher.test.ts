import { createCipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HEADER_SIZE, MAX_PAYLOAD_SIZE } from "./packet.ts";
import { PacketCipher } from "./packet-cipher.ts";

/** Section 6.2.2 written out with the library's own CTR mode. */
function reference(key: Buffer, salt: Buffer, sequence: number, payload: Buffer): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(sequence, 10);
  for (let index = 0; index < 14; index++) iv[index] = (iv[index] as number) ^ (salt[index] as number);
  return createCipheriv(`aes-${key.length * 8}-ctr`, key, iv).update(payload);
}

test("ING2: payloads are AES-CTR as the draft has it, whatever the order and size of packets", () => {
  const sequences = fc.oneof(
    fc.array(fc.nat(200), { maxLength: 60 }),
    fc.array(
      fc.nat(40).map((offset) => (0x7fff_fff0 + offset) % 0x8000_0000),
      { maxLength: 60 },
    ),
    fc.array(fc.nat(0x7fff_ffff), { maxLength: 20 }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(16, 24, 32),
      sequences,
      fc.integer({ min: 1, max: MAX_PAYLOAD_SIZE }),
      fc.integer({ min: 0, max: 3 }),
      (keyLength, order, size, misalignment) => {
        const key = randomBytes(keyLength);
        const salt = randomBytes(16);
        const cipher = new PacketCipher(key, salt);
        for (const [index, sequence] of order.entries()) {
          const length = Math.max(1, size - (index % 40));
          const payload = randomBytes(length);
          const packet = Buffer.concat([Buffer.alloc(misalignment + HEADER_SIZE), payload]).subarray(misalignment);
          cipher.apply(packet, packet.length, sequence);
          expect(packet.subarray(HEADER_SIZE).equals(reference(key, salt, sequence, payload))).toBe(true);
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("ING2: a payload beyond the largest is refused", () => {
  const cipher = new PacketCipher(randomBytes(16), randomBytes(16));
  expect(() => cipher.apply(Buffer.alloc(2000), 2000, 1)).toThrow(RangeError);
});

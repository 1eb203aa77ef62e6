import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { ConnectionKeys } from "./connection-keys.ts";
import {
  deriveKeyEncryptionKeySync,
  KeyFlag,
  type KeyLength,
  MalformedKeyMaterialError,
  parseKeyMaterial,
  readKeyMaterialState,
  unwrapKeys,
  wrapKeys,
  writeKeyMaterial,
} from "./key-material.ts";

test("ING2: keys are wrapped as in RFC 3394 section 4.1", () => {
  const kek = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
  const key = Buffer.from("00112233445566778899aabbccddeeff", "hex");
  const wrapped = Buffer.from("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5", "hex");
  expect(wrapKeys(key, kek)).toEqual(wrapped);
  expect(unwrapKeys(wrapped, kek)).toEqual(key);
  expect(unwrapKeys(wrapped, randomBytes(16))).toBeUndefined();
});

test("ING2: key material survives writing and reading; every byte of its head is checked", () => {
  for (const keyLength of [16, 24, 32] as KeyLength[]) {
    const salt = randomBytes(16);
    const kek = deriveKeyEncryptionKeySync("a passphrase", salt, keyLength);
    const plain = randomBytes(2 * keyLength);
    const material = { keys: KeyFlag.both, keyLength, salt, wrapped: wrapKeys(plain, kek) };
    const message = writeKeyMaterial(material);
    expect(parseKeyMaterial(message)).toEqual(material);
    for (const at of [0, 1, 2, 4, 8, 9, 14, 15]) {
      const broken = Buffer.from(message);
      broken[at] = (broken[at] as number) ^ 0x55;
      expect(() => parseKeyMaterial(broken), `byte ${at}`).toThrow(MalformedKeyMaterialError);
    }
    expect(() => parseKeyMaterial(message.subarray(0, -4))).toThrow(MalformedKeyMaterialError);
  }
});

test("ING2: a peer cannot make us derive keys faster than once a second", async () => {
  const { request } = await ConnectionKeys.generate("a passphrase", 16);
  const keys = (await ConnectionKeys.accept(request, "a passphrase")) as ConnectionKeys;
  const others = await Promise.all(Array.from({ length: 3 }, () => ConnectionKeys.generate("a passphrase", 16)));
  const answers = others.map((other, index) => keys.handleRequest(other.request, 1e6 + index));
  expect(answers.map((answer) => answer.length)).toEqual([request.length, 4, 4]);
  expect(readKeyMaterialState(answers[1] as Buffer)).toBe(4);
  expect(keys.refused).toBe(2);
});

test("ING2: key material that is wrapped with another passphrase is refused", async () => {
  const { request } = await ConnectionKeys.generate("a passphrase", 24);
  expect(await ConnectionKeys.accept(request, "another passphrase")).toBeUndefined();
});

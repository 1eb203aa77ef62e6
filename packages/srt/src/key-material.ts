import { createCipheriv, createDecipheriv, pbkdf2, pbkdf2Sync } from "node:crypto";
import { promisify } from "node:util";

/** Which keys a key material message carries, and which one a data packet is encrypted with: bits. */
export const KeyFlag = { none: 0, even: 1, odd: 2, both: 3 } as const;

/** libsrt's SRT_KM_STATE, the one word of a key material response that refuses. */
export const KeyMaterialState = { unsecured: 0, securing: 1, secured: 2, noSecret: 3, badSecret: 4 } as const;

export type KeyLength = 16 | 24 | 32;

/** The salt that libsrt sends is always this long, bytes. */
export const SALT_SIZE = 16;
const PBKDF2_ITERATIONS = 2048;
const WRAP_OVERHEAD = 8;
const WRAP_IV = Buffer.alloc(8, 0xa6);
const FIXED_SIZE = 16;
const CIPHER_AES_CTR = 2;
/** Version 1, packet type 2 (key material), signature "HAI" as a PnP vendor id. */
const LEADING_WORD = 0x1220_2900;
const STREAM_ENCAPSULATION_SRT = 2;

/** A key material message, section 3.2.2. */
export interface KeyMaterial {
  /** {@link KeyFlag} bits: which keys are wrapped, even first. */
  readonly keys: number;
  readonly keyLength: KeyLength;
  readonly salt: Buffer;
  /** RFC 3394 wrapping of the key or both. */
  readonly wrapped: Buffer;
}

/** Thrown by {@link parseKeyMaterial}. */
export class MalformedKeyMaterialError extends Error {
  override readonly name = "MalformedKeyMaterialError";
}

/** @throws MalformedKeyMaterialError when it is not AES-CTR key material or its lengths do not fit. */
export function parseKeyMaterial(message: Buffer): KeyMaterial {
  if (message.length < FIXED_SIZE) throw new MalformedKeyMaterialError("shorter than its fixed part");
  const lead = message.readUInt32BE(0);
  if ((lead & 0xffff_ff00) >>> 0 !== LEADING_WORD) throw new MalformedKeyMaterialError("no key material signature");
  const keys = lead & 0b11;
  if (keys === 0) throw new MalformedKeyMaterialError("carries no key");
  if (message.readUInt32BE(4) !== 0) throw new MalformedKeyMaterialError("key encryption key index is not 0");
  if (message[8] !== CIPHER_AES_CTR) throw new MalformedKeyMaterialError(`cipher ${message[8]} is not AES-CTR`);
  if (message[9] !== 0) throw new MalformedKeyMaterialError(`authentication ${message[9]} is not supported`);
  const saltSize = (message[14] as number) * 4;
  const keyLength = (message[15] as number) * 4;
  if (saltSize !== SALT_SIZE) throw new MalformedKeyMaterialError(`salt of ${saltSize} bytes`);
  if (!isKeyLength(keyLength)) throw new MalformedKeyMaterialError(`key of ${keyLength} bytes`);
  const count = keys === KeyFlag.both ? 2 : 1;
  const size = FIXED_SIZE + saltSize + count * keyLength + WRAP_OVERHEAD;
  if (message.length !== size) throw new MalformedKeyMaterialError(`${message.length} bytes instead of ${size}`);
  return {
    keys,
    keyLength,
    salt: Buffer.from(message.subarray(FIXED_SIZE, FIXED_SIZE + saltSize)),
    wrapped: Buffer.from(message.subarray(FIXED_SIZE + saltSize)),
  };
}

export function writeKeyMaterial(material: KeyMaterial): Buffer {
  const message = Buffer.alloc(FIXED_SIZE + material.salt.length + material.wrapped.length);
  message.writeUInt32BE(LEADING_WORD | material.keys, 0);
  message[8] = CIPHER_AES_CTR;
  message[10] = STREAM_ENCAPSULATION_SRT;
  message[14] = material.salt.length / 4;
  message[15] = material.keyLength / 4;
  material.salt.copy(message, FIXED_SIZE);
  material.wrapped.copy(message, FIXED_SIZE + material.salt.length);
  return message;
}

export function isKeyLength(value: number): value is KeyLength {
  return value === 16 || value === 24 || value === 32;
}

/** libsrt's limits on passphrases, bytes. */
export function isPassphraseLength(passphrase: string): boolean {
  const size = Buffer.byteLength(passphrase);
  return size >= 10 && size <= 79;
}

const pbkdf2Async = promisify(pbkdf2);

/** The key encryption key: PBKDF2 of the passphrase with the last 64 bits of the salt (section 6.1.4). About 1 ms, off the main thread. */
export function deriveKeyEncryptionKey(passphrase: string, salt: Buffer, keyLength: KeyLength): Promise<Buffer> {
  return pbkdf2Async(passphrase, salt.subarray(salt.length - 8), PBKDF2_ITERATIONS, keyLength, "sha1");
}

/** {@link deriveKeyEncryptionKey}, blocking. */
export function deriveKeyEncryptionKeySync(passphrase: string, salt: Buffer, keyLength: KeyLength): Buffer {
  return pbkdf2Sync(passphrase, salt.subarray(salt.length - 8), PBKDF2_ITERATIONS, keyLength, "sha1");
}

/** RFC 3394. */
export function wrapKeys(keys: Buffer, kek: Buffer): Buffer {
  const cipher = createCipheriv(`id-aes${kek.length * 8}-wrap`, kek, WRAP_IV);
  return Buffer.concat([cipher.update(keys), cipher.final()]);
}

/** RFC 3394. @returns undefined when the integrity check fails: the key encryption key is another one. */
export function unwrapKeys(wrapped: Buffer, kek: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(`id-aes${kek.length * 8}-wrap`, kek, WRAP_IV);
  try {
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** A refusal: libsrt writes the state in the byte order of its (little-endian) machine. */
export function keyMaterialStateWord(state: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(state);
  return word;
}

/** Reads a refusal in either byte order. */
export function readKeyMaterialState(message: Buffer): number {
  const little = message.readUInt32LE(0);
  return little <= 0xff ? little : message.readUInt32BE(0);
}

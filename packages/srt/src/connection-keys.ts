import { randomBytes } from "node:crypto";
import {
  deriveKeyEncryptionKey,
  deriveKeyEncryptionKeySync,
  KeyFlag,
  type KeyLength,
  type KeyMaterial,
  KeyMaterialState,
  keyMaterialStateWord,
  MalformedKeyMaterialError,
  parseKeyMaterial,
  SALT_SIZE,
  unwrapKeys,
  wrapKeys,
  writeKeyMaterial,
} from "./key-material.ts";
import { PacketCipher } from "./packet-cipher.ts";
import { wireSequence } from "./sequence-number.ts";

/** When the sending side changes its key (section 6.1.6). */
export interface KeyRefreshPolicy {
  /** Packets encrypted with one key. */
  readonly refreshPackets: number;
  /** Packets before the change at which the next key is announced, and after it at which the old one is forgotten. */
  readonly announcePackets: number;
}

/** libsrt's defaults. */
export const DEFAULT_KEY_REFRESH: KeyRefreshPolicy = { refreshPackets: 1 << 24, announcePackets: 1 << 12 };

/** Key derivations that a peer can cause in mid-stream: one a second (libsrt's peers never change the salt). */
const DERIVATION_PERIOD = 1_000_000;

/** The keys of one connection: those of the peer's packets, those of ours, and their refreshing. */
export class ConnectionKeys {
  readonly keyLength: KeyLength;
  readonly #passphrase: string;
  readonly #policy: KeyRefreshPolicy;
  #salt: Buffer;
  #kek: Buffer;
  #receiveSalt: Buffer;
  #receiveKek: Buffer;
  #lastDerivation = Number.NEGATIVE_INFINITY;
  /** Indexed by key flag. */
  readonly #receive: (PacketCipher | undefined)[] = [undefined, undefined, undefined];
  readonly #sendKeys: (Buffer | undefined)[] = [undefined, undefined, undefined];
  #sendFlag: number;
  #sendCipher: PacketCipher;
  #nextCipher: PacketCipher | undefined;
  #sentWithKey = 0;
  /** The announcement that the peer has not confirmed yet. */
  #announcement: Buffer | undefined;
  #announced = false;
  /** Keys that the peer has announced since the handshake. */
  receiveRefreshes = 0;
  /** Times that our key was changed. */
  sendRefreshes = 0;
  /** Key material that could not be read or unwrapped. */
  refused = 0;

  private constructor(
    passphrase: string,
    policy: KeyRefreshPolicy,
    material: { salt: Buffer; kek: Buffer; keyLength: KeyLength; keys: number; plain: Buffer },
  ) {
    this.#passphrase = passphrase;
    this.#policy = policy;
    this.keyLength = material.keyLength;
    this.#salt = material.salt;
    this.#kek = material.kek;
    this.#receiveSalt = material.salt;
    this.#receiveKek = material.kek;
    this.#takeReceiveKeys(material.keys, material.plain, material.salt, material.keyLength);
    // The initiator's key serves both directions until one of them refreshes (section 6.1.5).
    this.#sendFlag = (material.keys & KeyFlag.even) !== 0 ? KeyFlag.even : KeyFlag.odd;
    const key = material.plain.subarray(0, material.keyLength);
    this.#sendKeys[this.#sendFlag] = key;
    this.#sendCipher = new PacketCipher(key, material.salt);
  }

  /** The initiator's side: new keys, and the request that tells the peer. */
  static async generate(
    passphrase: string,
    keyLength: KeyLength,
    policy: KeyRefreshPolicy = DEFAULT_KEY_REFRESH,
  ): Promise<{ keys: ConnectionKeys; request: Buffer }> {
    const salt = randomBytes(SALT_SIZE);
    const plain = randomBytes(keyLength);
    const kek = await deriveKeyEncryptionKey(passphrase, salt, keyLength);
    const keys = new ConnectionKeys(passphrase, policy, { salt, kek, keyLength, keys: KeyFlag.even, plain });
    return { keys, request: keys.#write(KeyFlag.even, plain) };
  }

  /**
   * The responder's side: the keys of the initiator's request, or undefined when the passphrase is another one.
   * @throws MalformedKeyMaterialError
   */
  static async accept(
    request: Buffer,
    passphrase: string,
    policy: KeyRefreshPolicy = DEFAULT_KEY_REFRESH,
  ): Promise<ConnectionKeys | undefined> {
    const material = parseKeyMaterial(request);
    const kek = await deriveKeyEncryptionKey(passphrase, material.salt, material.keyLength);
    const plain = unwrapKeys(material.wrapped, kek);
    if (plain === undefined) return undefined;
    return new ConnectionKeys(passphrase, policy, { ...material, kek, plain });
  }

  /** Decrypts a data packet in place. @returns false when there is no key for `keyFlag`. */
  decrypt(packet: Buffer, keyFlag: number, sequence: number): boolean {
    const cipher = this.#receive[keyFlag];
    if (cipher === undefined) return false;
    cipher.apply(packet, packet.length, sequence);
    return true;
  }

  /** Encrypts a data packet in place. @returns the flag of the key. */
  encrypt(packet: Buffer, length: number, sequence: number): number {
    this.#advance();
    this.#sendCipher.apply(packet, length, wireSequence(sequence));
    this.#sentWithKey++;
    return this.#sendFlag;
  }

  /** The request that has to go to the peer, again and again until it confirms; undefined when there is none. */
  get announcement(): Buffer | undefined {
    return this.#announcement;
  }

  /** The peer's request in mid-stream. @returns the response to send. */
  handleRequest(message: Buffer, now: number): Buffer {
    let material: KeyMaterial;
    try {
      material = parseKeyMaterial(message);
    } catch (error) {
      if (!(error instanceof MalformedKeyMaterialError)) throw error;
      return this.#refuse();
    }
    if (!material.salt.equals(this.#receiveSalt) || material.keyLength !== this.#receiveKek.length) {
      if (now - this.#lastDerivation < DERIVATION_PERIOD) return this.#refuse();
      this.#lastDerivation = now;
      const kek = deriveKeyEncryptionKeySync(this.#passphrase, material.salt, material.keyLength);
      const plain = unwrapKeys(material.wrapped, kek);
      if (plain === undefined) return this.#refuse();
      this.#receiveSalt = material.salt;
      this.#receiveKek = kek;
      this.#takeReceiveKeys(material.keys, plain, material.salt, material.keyLength);
    } else {
      const plain = unwrapKeys(material.wrapped, this.#receiveKek);
      if (plain === undefined) return this.#refuse();
      this.#takeReceiveKeys(material.keys, plain, material.salt, material.keyLength);
    }
    this.receiveRefreshes++;
    return Buffer.from(message);
  }

  /** The peer's response to our announcement: its own bytes when it took the keys. Else it is announced again. */
  handleResponse(message: Buffer): void {
    if (this.#announcement !== undefined && message.equals(this.#announcement)) this.#announcement = undefined;
  }

  /** Moves through the life of the sending key: announce the next, change over, forget the old. */
  #advance(): void {
    const { refreshPackets, announcePackets } = this.#policy;
    if (!this.#announced && this.#sentWithKey >= refreshPackets - announcePackets) {
      const next = randomBytes(this.keyLength);
      const nextFlag = KeyFlag.both - this.#sendFlag;
      this.#sendKeys[nextFlag] = next;
      this.#nextCipher = new PacketCipher(next, this.#salt);
      const both = Buffer.concat([this.#sendKeys[KeyFlag.even] as Buffer, this.#sendKeys[KeyFlag.odd] as Buffer]);
      this.#announcement = this.#write(KeyFlag.both, both);
      this.#announced = true;
    }
    // Not before the peer has the key: what it cannot decrypt is lost.
    if (this.#nextCipher !== undefined && this.#announcement === undefined && this.#sentWithKey >= refreshPackets) {
      this.#sendKeys[this.#sendFlag] = undefined;
      this.#sendFlag = KeyFlag.both - this.#sendFlag;
      this.#sendCipher = this.#nextCipher;
      this.#nextCipher = undefined;
      this.#announced = false;
      this.#sentWithKey = 0;
      this.sendRefreshes++;
    }
  }

  #takeReceiveKeys(keys: number, plain: Buffer, salt: Buffer, keyLength: number): void {
    let at = 0;
    for (const flag of [KeyFlag.even, KeyFlag.odd]) {
      if ((keys & flag) === 0) continue;
      this.#receive[flag] = new PacketCipher(plain.subarray(at, at + keyLength), salt);
      at += keyLength;
    }
  }

  #write(keys: number, plain: Buffer): Buffer {
    return writeKeyMaterial({ keys, keyLength: this.keyLength, salt: this.#salt, wrapped: wrapKeys(plain, this.#kek) });
  }

  #refuse(): Buffer {
    this.refused++;
    return keyMaterialStateWord(KeyMaterialState.badSecret);
  }
}

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A stream key's parts. The text is `CHANNEL_ID_MAC`: nobody without the backend's secret can make one. */
export interface SignedStreamKey {
  readonly channel: string;
  /** 16 hexadecimal digits. */
  readonly id: string;
}

const SHAPE = /^([a-z0-9][a-z0-9-]{0,63})_([0-9a-f]{16})_([0-9a-f]{32})$/;

/** Longest text that is looked at at all, characters. */
export const MAX_STREAM_KEY_LENGTH = 256;

/** Makes and checks the text of stream keys (ING4: HMAC-signed). Holds the secret; knows no database. */
export class StreamKeySigner {
  readonly #secret: Uint8Array;

  /** @param secret at least 32 random bytes, the same for the life of the installation. */
  constructor(secret: Uint8Array) {
    if (secret.byteLength < 32) throw new RangeError("a stream key secret has at least 32 bytes");
    this.#secret = secret;
  }

  /** A new key for `channel`, with its text: shown once, stored nowhere. */
  issue(channel: string): { key: SignedStreamKey; text: string } {
    const key = { channel, id: randomBytes(8).toString("hex") };
    return { key, text: `${channel}_${key.id}_${this.#mac(key)}` };
  }

  /** The key whose text this is; undefined where the text is not of that shape or not signed by us. */
  verify(text: string): SignedStreamKey | undefined {
    const match = SHAPE.exec(text);
    if (match === null) return undefined;
    const [, channel = "", id = "", mac = ""] = match;
    const key = { channel, id };
    return timingSafeEqual(Buffer.from(mac), Buffer.from(this.#mac(key))) ? key : undefined;
  }

  /** What is stored of a key that the operator chose: enough to recognise it, not to use it. */
  fingerprint(text: string): string {
    return createHmac("sha256", this.#secret).update("imported-stream-key\0").update(text).digest("hex");
  }

  #mac(key: SignedStreamKey): string {
    return createHmac("sha256", this.#secret)
      .update(`stream-key-1\0${key.channel}\0${key.id}`)
      .digest("hex")
      .slice(0, 32);
  }
}

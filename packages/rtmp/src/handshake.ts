import { randomFillSync } from "node:crypto";
import {
  type DigestScheme,
  findDigest,
  HANDSHAKE_KEYS,
  HANDSHAKE_LENGTH,
  isAnswerTo,
  signAnswer,
  signBlock,
} from "./handshake-digest.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

const VERSION = 3;
const SERVER_VERSION = 0x04050001;
const CLIENT_VERSION = 0x80000702;

/** Which handshake came about. */
export type HandshakeKind = "simple" | "digest";

/** One end of the handshake (RTMP 1.0 §5.2), fed with the peer's bytes. */
export interface Handshake {
  readonly done: boolean;
  /** Undefined until the peer's block was seen. */
  readonly kind: HandshakeKind | undefined;
  /**
   * Reads `data` from `offset` on; answers with the offset after the handshake, or the end of `data`.
   * @throws RtmpProtocolError `handshake_invalid`
   */
  push(data: Buffer, offset: number, send: (bytes: Buffer) => void): number;
}

/** Fills one 1536-byte block at a time. */
class BlockBuffer {
  readonly bytes = Buffer.allocUnsafe(HANDSHAKE_LENGTH);
  #filled = 0;

  get full(): boolean {
    return this.#filled === HANDSHAKE_LENGTH;
  }

  push(data: Buffer, offset: number): number {
    const take = Math.min(HANDSHAKE_LENGTH - this.#filled, data.length - offset);
    data.copy(this.bytes, this.#filled, offset, offset + take);
    this.#filled += take;
    return offset + take;
  }

  clear(): void {
    this.#filled = 0;
  }
}

function checkVersion(version: number): void {
  if (version === 6 || version === 8) {
    throw new RtmpProtocolError("handshake_invalid", "RTMPE is not supported; use RTMPS");
  }
  if (version !== VERSION) throw new RtmpProtocolError("handshake_invalid", `not RTMP: version byte ${version}`);
}

function randomBlock(version: number): Buffer {
  const block = randomFillSync(Buffer.allocUnsafe(HANDSHAKE_LENGTH));
  block.writeUInt32BE(0, 0);
  block.writeUInt32BE(version, 4);
  return block;
}

/**
 * The server's end. C1 with a right digest in either place is answered in kind; any other C1 gets the simple
 * handshake. C2 is read and not judged: common encoders send wrong ones.
 */
export class ServerHandshake implements Handshake {
  readonly #block = new BlockBuffer();
  #state: "c0" | "c1" | "c2" | "done" = "c0";
  #kind: HandshakeKind | undefined;

  get done(): boolean {
    return this.#state === "done";
  }

  get kind(): HandshakeKind | undefined {
    return this.#kind;
  }

  push(data: Buffer, offset: number, send: (bytes: Buffer) => void): number {
    while (offset < data.length && this.#state !== "done") {
      if (this.#state === "c0") {
        checkVersion(data[offset++] as number);
        this.#state = "c1";
        continue;
      }
      offset = this.#block.push(data, offset);
      if (!this.#block.full) break;
      if (this.#state === "c1") {
        this.#answer(send);
        this.#state = "c2";
      } else {
        this.#state = "done";
      }
      this.#block.clear();
    }
    return offset;
  }

  #answer(send: (bytes: Buffer) => void): void {
    const c1 = this.#block.bytes;
    const claimsDigest = c1.readUInt32BE(4) !== 0;
    const found = claimsDigest ? findDigest(c1, HANDSHAKE_KEYS.client.short) : undefined;
    const answer = Buffer.allocUnsafe(1 + 2 * HANDSHAKE_LENGTH);
    answer[0] = VERSION;
    const s2 = answer.subarray(1 + HANDSHAKE_LENGTH);
    if (found === undefined) {
      this.#kind = "simple";
      randomBlock(0).copy(answer, 1);
      c1.copy(s2);
    } else {
      this.#kind = "digest";
      const s1 = randomBlock(SERVER_VERSION);
      signBlock(s1, found.scheme, HANDSHAKE_KEYS.server.short);
      s1.copy(answer, 1);
      randomFillSync(s2);
      signAnswer(s2, found.digest, HANDSHAKE_KEYS.server.long);
    }
    send(answer);
  }
}

/**
 * The client's end. With `digest` it signs C1; a server that answers simply is then spoken to simply, and one that
 * claims the digest handshake must have it right.
 */
export class ClientHandshake implements Handshake {
  readonly #block = new BlockBuffer();
  readonly #c1: Buffer;
  readonly #c1Digest: Buffer | undefined;
  #state: "s0" | "s1" | "s2" | "done" = "s0";
  #kind: HandshakeKind | undefined;

  constructor(options: { digest: boolean; scheme?: DigestScheme }) {
    this.#c1 = randomBlock(options.digest ? CLIENT_VERSION : 0);
    if (options.digest) this.#c1Digest = signBlock(this.#c1, options.scheme ?? 0, HANDSHAKE_KEYS.client.short);
  }

  get done(): boolean {
    return this.#state === "done";
  }

  get kind(): HandshakeKind | undefined {
    return this.#kind;
  }

  /** Sends C0 and C1; called once, first. */
  begin(send: (bytes: Buffer) => void): void {
    send(Buffer.concat([Buffer.of(VERSION), this.#c1]));
  }

  push(data: Buffer, offset: number, send: (bytes: Buffer) => void): number {
    while (offset < data.length && this.#state !== "done") {
      if (this.#state === "s0") {
        checkVersion(data[offset++] as number);
        this.#state = "s1";
        continue;
      }
      offset = this.#block.push(data, offset);
      if (!this.#block.full) break;
      if (this.#state === "s1") {
        this.#answer(send);
        this.#state = "s2";
      } else {
        this.#checkAnswer();
        this.#state = "done";
      }
      this.#block.clear();
    }
    return offset;
  }

  #answer(send: (bytes: Buffer) => void): void {
    const s1 = this.#block.bytes;
    const found = this.#c1Digest === undefined ? undefined : findDigest(s1, HANDSHAKE_KEYS.server.short);
    if (found === undefined) {
      this.#kind = "simple";
      send(Buffer.from(s1));
      return;
    }
    this.#kind = "digest";
    const c2 = randomFillSync(Buffer.allocUnsafe(HANDSHAKE_LENGTH));
    signAnswer(c2, found.digest, HANDSHAKE_KEYS.client.long);
    send(c2);
  }

  #checkAnswer(): void {
    if (this.#kind !== "digest" || this.#c1Digest === undefined) return;
    if (!isAnswerTo(this.#block.bytes, this.#c1Digest, HANDSHAKE_KEYS.server.long)) {
      throw new RtmpProtocolError("handshake_invalid", "the server's answer does not match the digest that was sent");
    }
  }
}

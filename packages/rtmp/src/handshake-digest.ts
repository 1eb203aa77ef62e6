import { createHmac, timingSafeEqual } from "node:crypto";

/** Length of C1, S1, C2 and S2, bytes. */
export const HANDSHAKE_LENGTH = 1536;
const DIGEST_LENGTH = 32;

const COMMON_KEY = Buffer.from("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae", "hex");
const PLAYER_NAME = Buffer.from("Genuine Adobe Flash Player 001", "latin1");
const SERVER_NAME = Buffer.from("Genuine Adobe Flash Media Server 001", "latin1");

/** The two ends sign with different keys: the short one signs C1/S1, the long one answers the other end's digest. */
export const HANDSHAKE_KEYS = {
  client: { short: PLAYER_NAME, long: Buffer.concat([PLAYER_NAME, COMMON_KEY]) },
  server: { short: SERVER_NAME, long: Buffer.concat([SERVER_NAME, COMMON_KEY]) },
} as const;

/** Where in C1/S1 the digest is: 0 when its offset is told at byte 8, 1 when at byte 772. */
export type DigestScheme = 0 | 1;

function digestOffset(block: Buffer, scheme: DigestScheme): number {
  const at = scheme === 0 ? 8 : 772;
  const sum = (block[at] as number) + (block[at + 1] as number) + (block[at + 2] as number) + (block[at + 3] as number);
  return (sum % 728) + at + 4;
}

function digestAt(block: Buffer, offset: number, key: Buffer): Buffer {
  return createHmac("sha256", key)
    .update(block.subarray(0, offset))
    .update(block.subarray(offset + DIGEST_LENGTH))
    .digest();
}

/** Writes the digest of C1 or S1 into it and answers with it. */
export function signBlock(block: Buffer, scheme: DigestScheme, key: Buffer): Buffer {
  const offset = digestOffset(block, scheme);
  const digest = digestAt(block, offset, key);
  digest.copy(block, offset);
  return digest;
}

/** The digest that C1 or S1 carries and where; undefined when it carries no right one. */
export function findDigest(block: Buffer, key: Buffer): { scheme: DigestScheme; digest: Buffer } | undefined {
  for (const scheme of [0, 1] as const) {
    const offset = digestOffset(block, scheme);
    const digest = block.subarray(offset, offset + DIGEST_LENGTH);
    if (timingSafeEqual(digest, digestAt(block, offset, key))) return { scheme, digest: Buffer.from(digest) };
  }
  return undefined;
}

/** Writes into the last bytes of C2 or S2 what proves that the other end's digest was read. */
export function signAnswer(answer: Buffer, peerDigest: Buffer, key: Buffer): void {
  const end = HANDSHAKE_LENGTH - DIGEST_LENGTH;
  answerDigest(answer, peerDigest, key).copy(answer, end);
}

/** Whether C2 or S2 answers the digest that was sent. */
export function isAnswerTo(answer: Buffer, sentDigest: Buffer, key: Buffer): boolean {
  const end = HANDSHAKE_LENGTH - DIGEST_LENGTH;
  return timingSafeEqual(answer.subarray(end), answerDigest(answer, sentDigest, key));
}

function answerDigest(answer: Buffer, peerDigest: Buffer, key: Buffer): Buffer {
  const answerKey = createHmac("sha256", key).update(peerDigest).digest();
  return createHmac("sha256", answerKey)
    .update(answer.subarray(0, HANDSHAKE_LENGTH - DIGEST_LENGTH))
    .digest();
}

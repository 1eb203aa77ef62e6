import { createHmac, randomBytes } from "node:crypto";

const BUCKET_MS = 60_000;

/**
 * Cookies that prove that a peer receives at the address it sends from, without the listener keeping
 * anything (section 4.3.1.1). Keyed, so that they cannot be made elsewhere; bound to address, port and minute.
 */
export class SynCookie {
  readonly #key = randomBytes(32);

  /** The cookie for a peer at `wallMs` (Unix time, ms). */
  issue(address: string, port: number, wallMs: number): number {
    return this.#make(address, port, Math.floor(wallMs / BUCKET_MS));
  }

  /** Whether `cookie` was issued to this peer in this minute or the last. */
  accepts(cookie: number, address: string, port: number, wallMs: number): boolean {
    const bucket = Math.floor(wallMs / BUCKET_MS);
    return cookie === this.#make(address, port, bucket) || cookie === this.#make(address, port, bucket - 1);
  }

  #make(address: string, port: number, bucket: number): number {
    const digest = createHmac("sha256", this.#key).update(`${address} ${port} ${bucket}`).digest();
    // Zero is what a caller sends when it has no cookie yet.
    return digest.readUInt32BE(0) || 1;
  }
}

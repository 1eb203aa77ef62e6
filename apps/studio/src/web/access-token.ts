import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** What whoever opens the page must have: it is in the printed link, and in a cookie from then on. */
export class AccessToken {
  readonly text: string;
  readonly #digest: Buffer;

  constructor(text: string) {
    this.text = text;
    this.#digest = digestOf(text);
  }

  /** The token of a data folder, made on its first start: a page that stays open over a restart of the box goes on. */
  static async of(path: string): Promise<AccessToken> {
    const kept = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    if (/^[A-Za-z0-9_-]{32}$/.test(kept)) return new AccessToken(kept);
    const text = randomBytes(24).toString("base64url");
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
    return new AccessToken(text);
  }

  /** Takes as long for every wrong one. */
  is(text: string | undefined): boolean {
    return text !== undefined && timingSafeEqual(digestOf(text), this.#digest);
  }
}

/** The value of a cookie (RFC 6265 § 4.2). */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

import { createHash, timingSafeEqual } from "node:crypto";
import { KliegError } from "@klieg/protocol";
import type { FastifyRequest } from "fastify";

/** Lets requests in that carry the installation's admin token. */
export class AdminGuard {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digest(token);
  }

  /** Whether the request carries the admin token. */
  accepts(request: FastifyRequest): boolean {
    const token = bearer(request);
    return token !== undefined && timingSafeEqual(digest(token), this.#digest);
  }

  /** @throws {KliegError} `unauthorized`. */
  readonly require = async (request: FastifyRequest): Promise<void> => {
    if (!this.accepts(request)) {
      throw new KliegError("unauthorized", "This needs the admin token: Authorization: Bearer TOKEN.");
    }
  };
}

/** The bearer token of a request (RFC 6750 § 2.1), if it has one. */
export function bearer(request: FastifyRequest): string | undefined {
  const match = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "");
  return match?.[1];
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { AssetFile } from "../engine/assets/asset-store.ts";
import { rangeOf } from "../served/byte-range.ts";
import { CONTENT_SECURITY_POLICY } from "../served/content-security-policy.ts";
import { MEDIA_TYPES, segmentsOf } from "../served/page-file.ts";
import { type AccessToken, cookieOf } from "./access-token.ts";

export interface PageDoorOptions {
  /** Where the built page is, absolute. */
  readonly page: string;
  readonly token: AccessToken;
  /** Differs from that of another box on the same host: browsers do not tell ports apart. */
  readonly cookie: string;
  /** @returns undefined where the show has no such asset. */
  readonly asset: (id: string) => AssetFile | undefined;
}

const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self)",
} as const;
/** A file of the show that is opened by itself is a picture or film, and nothing that runs. */
const ASSET_HEADERS = { "content-security-policy": "default-src 'none'; sandbox" } as const;
const YEAR_S = 31_536_000;
const NO_ENTRY =
  "Open the link that the studio printed when it was started: it has the token that lets you in. If it was cleared away, start the studio again.\n";

/** The box's HTTP: the built page, and beside it the files of the show, for whoever has the token. */
export class PageDoor {
  readonly #options: PageDoorOptions;

  constructor(options: PageDoorOptions) {
    this.#options = options;
  }

  /** Whether a request comes from a page that was let in. */
  admits(request: IncomingMessage): boolean {
    const { token, cookie } = this.#options;
    return token.is(cookieOf(request.headers.cookie, cookie));
  }

  /** Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      // The other end went away in the middle, or the file did.
      if (!response.headersSent) refuse(response, 404);
      else response.destroy(error instanceof Error ? error : undefined);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return refuse(response, 405);
    }
    const url = URL.parse(request.url ?? "", "http://studio.invalid");
    const segments = url?.host === "studio.invalid" ? segmentsOf(url.pathname) : undefined;
    if (url === null || segments === undefined) return refuse(response, 400);
    const entry = url.searchParams.get("token");
    if (segments.length === 0 && entry !== null) return this.#letIn(entry, response);
    if (!this.admits(request)) return refuse(response, 401, NO_ENTRY);
    const [folder, id] = segments;
    const asset = folder === "assets" && segments.length === 2 ? this.#options.asset(id ?? "") : undefined;
    // The page's bundle has a folder of that name, too: its names are others.
    if (asset !== undefined) {
      const headers = { ...HEADERS, ...ASSET_HEADERS, "cache-control": `private, max-age=${YEAR_S}, immutable` };
      return await sendFile(request, response, asset, headers);
    }
    const file = path.join(this.#options.page, ...(segments.length === 0 ? ["index.html"] : segments));
    const mediaType = MEDIA_TYPES.get(path.extname(file).toLowerCase());
    if (mediaType === undefined) return refuse(response, 404);
    // What the build names by its content never changes.
    const cache = folder === "assets" ? `private, max-age=${YEAR_S}, immutable` : "no-cache";
    await sendFile(request, response, { path: file, mediaType }, { ...HEADERS, "cache-control": cache });
  }

  /** The token leaves the address again, which is seen on screens and kept in histories. */
  #letIn(entry: string, response: ServerResponse): void {
    const { token, cookie } = this.#options;
    if (!token.is(entry)) {
      refuse(response, 401, NO_ENTRY);
      return;
    }
    const value = `${cookie}=${token.text}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${YEAR_S}`;
    response.writeHead(303, { ...HEADERS, location: "/", "set-cookie": value, "cache-control": "no-store" }).end();
  }
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: AssetFile,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const found = await stat(file.path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return refuse(response, 404);
  const { size } = found;
  const range = rangeOf(request.headers.range ?? null, size);
  const all = { ...headers, "content-type": file.mediaType, "accept-ranges": "bytes" };
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...all, "content-range": `bytes */${size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    ...all,
    "content-length": end - start + 1,
    ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === "HEAD" || size === 0) response.end();
  else await pipeline(createReadStream(file.path, { start, end }), response);
}

function refuse(response: ServerResponse, status: number, words = ""): void {
  response.writeHead(status, { ...HEADERS, "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  response.end(words);
}

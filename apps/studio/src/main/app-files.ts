import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { rangeOf } from "../served/byte-range.ts";
import { CONTENT_SECURITY_POLICY } from "../served/content-security-policy.ts";
import { MEDIA_TYPES, segmentsOf } from "../served/page-file.ts";
import { isAppAddress } from "./app-address.ts";

/** A file of the show, as the engine tells of it. */
export interface AssetFile {
  readonly path: string;
  readonly mediaType: string;
}

export interface AppFilesOptions {
  /** Where the built page is, absolute. */
  readonly page: string;
  /** @returns undefined where the show has no such asset. */
  readonly asset: (id: string) => Promise<AssetFile | undefined>;
}

const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
} as const;

/** What the app's own scheme answers: the built page, and beside it the assets of the show. */
export class AppFiles {
  readonly #options: AppFilesOptions;

  constructor(options: AppFilesOptions) {
    this.#options = options;
  }

  /** Never rejects: what cannot be answered is 404, what should not be asked 400 or 405. */
  async answer(request: Request): Promise<Response> {
    if (request.method !== "GET" && request.method !== "HEAD") return refusal(405);
    if (!isAppAddress(request.url)) return refusal(400);
    const segments = segmentsOf(new URL(request.url).pathname);
    if (segments === undefined) return refusal(400);
    const [folder, id] = segments;
    if (folder === "assets" && id !== undefined && segments.length === 2) {
      const asset = await this.#options.asset(id);
      // An asset that nobody knows may be a file of the page: its bundle has a folder of that name, too.
      if (asset !== undefined) return await answerFile(request, asset, "private, max-age=31536000, immutable");
    }
    const file = path.join(this.#options.page, ...(segments.length === 0 ? ["index.html"] : segments));
    const mediaType = MEDIA_TYPES.get(path.extname(file).toLowerCase());
    if (mediaType === undefined) return refusal(404);
    return await answerFile(request, { path: file, mediaType }, "no-cache");
  }
}

async function answerFile(request: Request, file: AssetFile, cacheControl: string): Promise<Response> {
  const found = await stat(file.path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return refusal(404);
  const headers = new Headers({
    ...HEADERS,
    "content-type": file.mediaType,
    "cache-control": cacheControl,
    "accept-ranges": "bytes",
  });
  const range = rangeOf(request.headers.get("range"), found.size);
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${found.size}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  headers.set("content-length", String(end - start + 1));
  if (range !== undefined) headers.set("content-range", `bytes ${start}-${end}/${found.size}`);
  const status = range === undefined ? 200 : 206;
  if (request.method === "HEAD" || found.size === 0) return new Response(null, { status, headers });
  const stream = Readable.toWeb(createReadStream(file.path, { start, end }));
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>, { status, headers });
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: HEADERS });
}

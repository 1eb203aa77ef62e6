import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { parseDeliveryDirectives } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { MediaRequestKind, RequestCounts } from "../insight/request-counts.ts";
import type { MediaBody, Origin, OriginAnswer } from "../origin/origin.ts";
import type { Logger } from "../ports/logger.ts";
import { type ByteRange, parseRange, sliceChunks } from "./byte-range.ts";

/** A stream that can be asked for its media. */
export interface PlayableStream {
  readonly stream: { readonly id: string; readonly liveAt: number | undefined };
  /** Whether nobody may see it but its owner. */
  readonly audience: { readonly hidden: boolean };
  readonly packager: { readonly origin: Origin };
}

/** Where the door finds streams. */
export interface PlayableStreams {
  get(id: string): PlayableStream | undefined;
  /** The channel's last stream, ended or not, as long as it can be watched. */
  latestOfChannel(channel: string): PlayableStream | undefined;
  /** The stream whose owner was given this token. */
  ofPreview(previewToken: string): PlayableStream | undefined;
}

/** Who asks: `insider` has the preview's token. */
interface Asked {
  readonly of: PlayableStream;
  readonly insider: boolean;
}

const PREFIX = "/v1/streams/";
const PREVIEWS = "/v1/previews/";
/** What is for its owner's eyes only is kept by nobody. */
const UNKEPT = "private, no-store";
const SEGMENT = /^(\d{1,15})\.m4s$/;
const PART = /^part-(\d{1,15})\.m4s$/;
const INIT = /^init-(\d{1,9})\.mp4$/;
const RENDITION = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** Subresources of a stream that are the API's, not the origin's. */
const API = new Set(["health"]);

/**
 * The origin's HTTP side (DLV1): multivariant and media playlists, init segments, parts and segments of every stream.
 * It answers before Fastify's router sees the request: no allocation but what the answer needs, no work that grows
 * with the window. A request for what is about to exist (a blocking reload, a preload hint) waits in the origin.
 *
 * A stream that is hidden (ING5) is not there, but below `/v1/previews/TOKEN/`: playlists name all by relative addresses,
 * so the token goes with them.
 */
export class MediaDoor {
  readonly #live: PlayableStreams;
  readonly #counts: RequestCounts;
  readonly #logger: Logger;

  constructor(options: { live: PlayableStreams; counts: RequestCounts; logger: Logger }) {
    this.#live = options.live;
    this.#counts = options.counts;
    this.#logger = options.logger;
  }

  /** Answers the request if it is for media. @returns false where it is somebody else's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = request.url ?? "";
    const insider = url.startsWith(PREVIEWS);
    if (!(insider || url.startsWith(PREFIX))) return false;
    const start = insider ? PREVIEWS.length : PREFIX.length;
    const question = url.indexOf("?");
    const path = question === -1 ? url : url.slice(0, question);
    const slash = path.indexOf("/", start);
    if (slash === -1) return false;
    const rest = path.slice(slash + 1);
    if (API.has(rest)) return false;
    if (!this.#methodIsRead(request, response)) return true;
    const name = path.slice(start, slash);
    const of = insider ? this.#live.ofPreview(name) : this.#live.get(name);
    if (of === undefined || (of.audience.hidden && !insider)) {
      this.#fail(request, response, "other", unknown());
      return true;
    }
    this.#answer({ of, insider }, rest, question === -1 ? "" : url.slice(question + 1), request, response);
    return true;
  }

  /** Answers with the multivariant playlist of the channel's latest stream. */
  answerChannel(channel: string, request: IncomingMessage, response: ServerResponse): void {
    if (!this.#methodIsRead(request, response)) return;
    const of = this.#live.latestOfChannel(channel);
    if (of === undefined || of.stream.liveAt === undefined || of.audience.hidden) {
      this.#fail(request, response, "multivariant", new KliegError("stream_not_live", "The channel is not live."));
      return;
    }
    this.#multivariant({ of, insider: false }, `../../streams/${of.stream.id}/`, request, response);
  }

  #answer(asked: Asked, rest: string, query: string, request: IncomingMessage, response: ServerResponse): void {
    const { insider } = asked;
    const { origin } = asked.of.packager;
    if (rest === "manifest.m3u8") {
      this.#multivariant(asked, "", request, response);
      return;
    }
    const slash = rest.indexOf("/");
    const rendition = rest.slice(0, Math.max(0, slash));
    const file = rest.slice(slash + 1);
    if (!RENDITION.test(rendition)) {
      this.#fail(request, response, "other", new KliegError("not_found", "There is nothing at this address."));
      return;
    }
    if (file === "index.m3u8") {
      const wanted = parseDeliveryDirectives((name) => queryValue(query, name));
      if (wanted === undefined) {
        const error = new KliegError("bad_request", "_HLS_msn and _HLS_part are whole numbers.");
        this.#fail(request, response, "playlist", error);
        return;
      }
      this.#wait(asked, request, response, "playlist", (settle) => origin.playlist(rendition, wanted, settle, insider));
      return;
    }
    let match = SEGMENT.exec(file);
    if (match !== null) {
      const msn = Number(match[1]);
      this.#wait(asked, request, response, "segment", (settle) => origin.segment(rendition, msn, settle, insider));
      return;
    }
    match = PART.exec(file);
    if (match !== null) {
      const serial = Number(match[1]);
      this.#wait(asked, request, response, "part", (settle) => origin.part(rendition, serial, settle, insider));
      return;
    }
    match = INIT.exec(file);
    if (match !== null) {
      const number = Number(match[1]);
      this.#wait(asked, request, response, "init", (settle) => origin.init(rendition, number, settle));
      return;
    }
    this.#fail(request, response, "other", new KliegError("not_found", "There is nothing at this address."));
  }

  #multivariant(asked: Asked, base: string, request: IncomingMessage, response: ServerResponse): void {
    let answer: OriginAnswer;
    try {
      answer = asked.of.packager.origin.multivariant(base, asked.insider);
    } catch (error) {
      this.#fail(request, response, "multivariant", error);
      return;
    }
    this.#send(asked, request, response, "multivariant", answer);
  }

  /** Asks the origin, which settles at once or later; a viewer that goes away meanwhile is forgotten there. */
  #wait(
    asked: Asked,
    request: IncomingMessage,
    response: ServerResponse,
    kind: MediaRequestKind,
    ask: (settle: (answer: OriginAnswer | KliegError) => void) => Disposable | undefined,
  ): void {
    let settled = false;
    let pending: Disposable | undefined;
    const onClose = () => pending?.[Symbol.dispose]();
    const settle = (answer: OriginAnswer | KliegError) => {
      settled = true;
      if (pending !== undefined) response.off("close", onClose);
      if (answer instanceof KliegError) this.#fail(request, response, kind, answer);
      // It may have been hidden while this waited.
      else if (asked.of.audience.hidden && !asked.insider) this.#fail(request, response, kind, unknown());
      else this.#send(asked, request, response, kind, answer);
    };
    try {
      pending = ask(settle);
    } catch (error) {
      this.#fail(request, response, kind, error);
      return;
    }
    if (!settled && pending !== undefined) response.once("close", onClose);
  }

  #send(
    asked: Asked,
    request: IncomingMessage,
    response: ServerResponse,
    kind: MediaRequestKind,
    answer: OriginAnswer,
  ): void {
    const headers: Record<string, string | number> = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "content-length,content-range,date,etag",
      "cache-control": asked.insider ? UNKEPT : answer.cacheControl,
      "content-type": answer.contentType,
      "x-content-type-options": "nosniff",
    };
    if (answer.etag !== undefined) {
      headers.etag = answer.etag;
      if (request.headers["if-none-match"] === answer.etag) {
        response.writeHead(304, headers).end();
        this.#counts.add(kind, 304, 0);
        return;
      }
    }
    let { body } = answer;
    if (answer.gzip !== undefined) {
      headers.vary = "accept-encoding";
      if (acceptsGzip(request.headers["accept-encoding"])) {
        const packed = answer.gzip();
        headers["content-encoding"] = "gzip";
        body = { chunks: [packed], byteLength: packed.byteLength };
      }
    } else {
      headers["accept-ranges"] = "bytes";
    }
    let range: ByteRange | undefined;
    if (answer.gzip === undefined && request.headers.range !== undefined) {
      const parsed = parseRange(request.headers.range, body.byteLength);
      if (parsed === "unsatisfiable") {
        response.setHeader("content-range", `bytes */${body.byteLength}`);
        this.#fail(request, response, kind, new KliegError("range_not_satisfiable", "The range lies past the end."));
        return;
      }
      range = parsed;
    }
    const status = range === undefined ? 200 : 206;
    const length = range === undefined ? body.byteLength : range.end - range.start + 1;
    headers["content-length"] = length;
    if (range !== undefined) headers["content-range"] = `bytes ${range.start}-${range.end}/${body.byteLength}`;
    this.#counts.add(kind, status, request.method === "HEAD" ? 0 : length);
    if (request.method === "HEAD") {
      response.writeHead(status, headers).end();
      return;
    }
    this.#sendBody(request, response, kind, status, headers, body, range);
  }

  #sendBody(
    request: IncomingMessage,
    response: ServerResponse,
    kind: MediaRequestKind,
    status: number,
    headers: Record<string, string | number>,
    body: MediaBody,
    range: ByteRange | undefined,
  ): void {
    if ("chunks" in body) {
      const chunks = range === undefined ? body.chunks : sliceChunks(body.chunks, range);
      response.writeHead(status, headers);
      if (chunks.length === 1) {
        response.end(chunks[0]);
        return;
      }
      response.cork();
      for (const chunk of chunks) response.write(chunk);
      response.end();
      return;
    }
    body.open(range).then(
      (readable) => {
        response.writeHead(status, headers);
        pipeline(readable, response, (error) => {
          if (
            error !== null &&
            error !== undefined &&
            (error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE"
          ) {
            this.#logger.warn({ err: error, url: request.url }, "a stored segment could not be sent whole");
          }
        });
      },
      (error: unknown) => this.#fail(request, response, kind, error),
    );
  }

  #methodIsRead(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method === "GET" || request.method === "HEAD") return true;
    if (request.method === "OPTIONS") {
      response
        .writeHead(204, {
          "access-control-allow-origin": "*",
          "access-control-allow-methods": "GET, HEAD",
          "access-control-allow-headers": "range",
          "access-control-max-age": "86400",
        })
        .end();
      return false;
    }
    response.setHeader("allow", "GET, HEAD, OPTIONS");
    this.#fail(request, response, "other", new KliegError("method_not_allowed", "Media is only read."));
    return false;
  }

  #fail(request: IncomingMessage, response: ServerResponse, kind: MediaRequestKind, cause: unknown): void {
    const error = KliegError.from(cause);
    if (error.code === "internal") this.#logger.error({ err: error.cause, url: request.url }, "origin failed");
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const body = Buffer.from(JSON.stringify(error.toBody()));
    this.#counts.add(kind, error.status, body.byteLength);
    response.writeHead(error.status, {
      "access-control-allow-origin": "*",
      // What is not there now may be there in a moment: a cache may collapse requests, not remember the answer.
      "cache-control": error.status === 404 ? "public, max-age=1" : "no-store",
      "content-type": "application/json; charset=utf-8",
      "content-length": body.byteLength,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

function unknown(): KliegError {
  return new KliegError("stream_unknown", "There is no such stream.");
}

/** The value of a query parameter whose name and value need no decoding; undefined where it is not there. */
function queryValue(query: string, name: string): string | undefined {
  for (let at = query.indexOf(name); at !== -1; at = query.indexOf(name, at + 1)) {
    if ((at === 0 || query[at - 1] === "&") && query[at + name.length] === "=") {
      const end = query.indexOf("&", at);
      return query.slice(at + name.length + 1, end === -1 ? undefined : end);
    }
  }
  return undefined;
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return typeof header === "string" && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s|,|$))/.test(header);
}

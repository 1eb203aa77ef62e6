import type { ServerResponse } from "node:http";
import type { Clock } from "@klieg/base";
import type { FastifyReply } from "fastify";

/** Proxies close connections on which nothing passes, ms. */
const BREATH_MS = 15_000;
/** A client that reads so slowly is let go; it comes again by itself. */
const MAX_UNSENT_BYTES = 64 * 1024;

/** Server-sent events to one client (WHATWG HTML § 9.2). */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #breath: Disposable;
  readonly #onClosed: () => void;
  #closed = false;

  /** Takes over the reply, with the headers that it has. @param onClosed called once, whoever ends it. */
  constructor(reply: FastifyReply, clock: Clock, onClosed: () => void) {
    reply.hijack();
    this.#response = reply.raw;
    this.#onClosed = onClosed;
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) this.#response.setHeader(name, value);
    }
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    this.#response.write("retry: 2000\n\n");
    this.#response.once("close", () => this.#onEnd());
    this.#breath = clock.every(BREATH_MS, () => this.#write(":\n\n"));
  }

  send(event: string, data: object): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Idempotent. */
  end(): void {
    if (this.#closed) return;
    this.#response.end();
    this.#onEnd();
  }

  #write(text: string): void {
    if (this.#closed) return;
    if (this.#response.writableLength > MAX_UNSENT_BYTES) this.#response.destroy();
    else this.#response.write(text);
  }

  #onEnd(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#breath[Symbol.dispose]();
    this.#onClosed();
  }
}

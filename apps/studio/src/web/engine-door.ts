import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "@klieg/base";
import { PROGRAM_HEADER_BYTES, STUDIO_CLOSE, STUDIO_MEDIA_BYTES, STUDIO_MESSAGE_BYTES } from "@klieg/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import type { StudioEngine } from "../engine/studio-engine.ts";

export interface EngineDoorOptions {
  readonly engine: StudioEngine;
  /** Whether a request comes from a page that was let in. */
  readonly admits: (request: IncomingMessage) => boolean;
  readonly clock?: Clock;
}

/** A page that does not answer from one ping to the next is gone. */
const PING_MS = 5000;
/** Pages that may be connected at one time, those that are turned away included. */
const MAX_PAGES = 64;
/** What waits to be read by a page, bytes; one that reads nothing is gone. */
const MAX_BEHIND = 64 * 1024 * 1024;

/** The box's WebSocket: carries messages between pages and the engine, and nothing else. */
export class EngineDoor implements Disposable {
  readonly #options: EngineDoorOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: Math.max(STUDIO_MESSAGE_BYTES, STUDIO_MEDIA_BYTES + PROGRAM_HEADER_BYTES),
    // Media does not get smaller by it, and every message would cost time.
    perMessageDeflate: false,
  });

  constructor(options: EngineDoorOptions) {
    this.#options = options;
  }

  /** Takes a request to become a WebSocket, or turns it away. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      turnAway(socket, refusal);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (page) => {
      // Said by a close code: a page cannot see why an upgrade was refused.
      if (this.#options.admits(request)) this.#carry(page);
      else page.close(STUDIO_CLOSE.refused, "open the printed link");
    });
  }

  [Symbol.dispose](): void {
    for (const page of this.#server.clients) page.terminate();
    this.#server.close();
  }

  /** @returns the status of the answer where the request is none for the engine. */
  #refusal(request: IncomingMessage): string | undefined {
    const { pathname } = URL.parse(request.url ?? "", "http://studio.invalid") ?? { pathname: "" };
    if (pathname !== "/engine") return "404 Not Found";
    // Another site's page may try with its visitor's cookie (SEC5).
    if (!isOwnOrigin(request)) return "403 Forbidden";
    return this.#server.clients.size >= MAX_PAGES ? "503 Service Unavailable" : undefined;
  }

  #carry(page: WebSocket): void {
    const { engine, clock = systemClock } = this.#options;
    const session = engine.connect({
      send: (text) => {
        if (page.bufferedAmount > MAX_BEHIND) page.terminate();
        else page.send(text);
      },
      sendMedia: (message) => page.send(message),
      get behind() {
        return page.bufferedAmount;
      },
      close: (code, reason) => page.close(code, reason),
    });
    let answered = true;
    const ping = clock.every(PING_MS, () => {
      if (!answered) return page.terminate();
      answered = false;
      page.ping();
    });
    page.on("pong", () => {
      answered = true;
    });
    page.on("message", (data: Buffer, binary) => {
      // A page that is busy sending does not answer pings at once.
      answered = true;
      if (binary) session.receiveMedia(asBytes(data));
      else session.receive(data.toString("utf8"));
    });
    // The close that follows says all there is to do.
    page.on("error", () => page.terminate());
    page.on("close", () => {
      ping[Symbol.dispose]();
      session.closed();
    });
  }
}

function asBytes(data: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

function isOwnOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  if (origin === undefined || host === undefined) return false;
  return URL.parse(origin)?.host === host;
}

function turnAway(socket: Duplex, status: string): void {
  socket.on("error", () => undefined);
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

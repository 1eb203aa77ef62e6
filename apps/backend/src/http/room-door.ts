import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { addressBlock, type Clock, plainAddress } from "@klieg/base";
import { ROOM_CLOSE, ROOM_MESSAGE_BYTES, RoomId } from "@klieg/protocol";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { Logger } from "../ports/logger.ts";
import type { RoomPrograms } from "../rooms/room-programs.ts";
import { RoomSession } from "../rooms/room-session.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { IceServers } from "../sfu/ice-servers.ts";

export interface RoomDoorOptions {
  readonly rooms: Rooms;
  readonly programs: RoomPrograms;
  readonly iceServers: IceServers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Origin of this backend's own pages, as the outside reaches them. */
  readonly ownOrigin: () => string;
  /** How many proxies in front may name the peer's address in X-Forwarded-For. */
  readonly trustedProxies: number;
}

const PATH = /^\/v1\/rooms\/([a-z0-9]{12,32})\/?(?:\?|$)/;
const MAX_SOCKETS = 5000;
/** A school behind one address has so many. */
const MAX_SOCKETS_PER_ADDRESS = 300;
/** A peer must answer each ping before the next: one that was cut off is gone within two of them, ms. */
const PING_INTERVAL_MS = 2000;
/** What waits for a peer beyond this is not added to by what can be left out, bytes. */
const DROP_ABOVE = 64 * 1024;
/** A peer for which more waits is closed, bytes. */
const CLOSE_ABOVE = 1024 * 1024;

/** `WS /v1/rooms/:id` (RTC2): WebSockets (RFC 6455) of the HTTP door, each a {@link RoomSession}. */
export class RoomDoor implements AsyncDisposable {
  readonly #options: RoomDoorOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: ROOM_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });
  readonly #sockets = new Set<RoomSocket>();
  readonly #perBlock = new Map<string, number>();
  readonly #pings: Disposable;
  #closed = false;

  constructor(options: RoomDoorOptions) {
    this.#options = options;
    this.#pings = options.clock.every(PING_INTERVAL_MS, () => {
      for (const socket of this.#sockets) socket.ping();
    });
  }

  /** Sockets that are open. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** An upgrade request. Answers it, whatever it asks for. @returns whether it was for a room. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const roomId = PATH.exec(request.url ?? "")?.[1];
    if (roomId === undefined || !RoomId.safeParse(roomId).success) return false;
    // What breaks before there is a WebSocket breaks this connection only.
    socket.on("error", ignore);
    const address = this.#addressOf(request);
    const present = this.#perBlock.get(addressBlock(address)) ?? 0;
    if (this.#closed) answerPlainly(socket, 503, "shutting down");
    else if (!this.#isOwn(request)) answerPlainly(socket, 403, "this page may not open a room here");
    else if (this.#sockets.size >= MAX_SOCKETS) answerPlainly(socket, 503, "too many connections");
    else if (present >= MAX_SOCKETS_PER_ADDRESS) answerPlainly(socket, 429, "too many connections from this address");
    else {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off("error", ignore);
        this.#open(webSocket, roomId, address);
      });
    }
    return true;
  }

  /** Closes every socket, and takes no more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pings[Symbol.dispose]();
    for (const socket of this.#sockets) socket.close(ROOM_CLOSE.reconnect, "shutting down");
    this.#server.close();
    // Whoever does not close in turn does not hold up the shutdown.
    const patience = this.#options.clock.after(500, () => {
      for (const socket of this.#sockets) socket.terminate();
    });
    await Promise.all([...this.#sockets].map((socket) => socket.gone));
    patience[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(webSocket: WebSocket, roomId: string, address: string): void {
    const socket = new RoomSocket(webSocket, address, { ...this.#options, roomId });
    this.#sockets.add(socket);
    const block = addressBlock(address);
    this.#perBlock.set(block, (this.#perBlock.get(block) ?? 0) + 1);
    void socket.gone.then(() => {
      this.#sockets.delete(socket);
      const left = (this.#perBlock.get(block) ?? 1) - 1;
      if (left === 0) this.#perBlock.delete(block);
      else this.#perBlock.set(block, left);
    });
  }

  /** Pages of other origins may not speak in their visitor's name; programs that are no pages name no origin. */
  #isOwn(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (origin === undefined || origin === this.#options.ownOrigin()) return true;
    try {
      return new URL(origin).host === host;
    } catch {
      return false;
    }
  }

  /** The peer's address: of those that proxies name, the one that the outermost trusted proxy saw. */
  #addressOf(request: IncomingMessage): string {
    const direct = plainAddress(request.socket.remoteAddress);
    const { trustedProxies } = this.#options;
    const named = request.headers["x-forwarded-for"];
    if (trustedProxies === 0 || named === undefined) return direct;
    const hops = [named].flat().join(",").split(",");
    return plainAddress(hops.at(-Math.min(trustedProxies, hops.length))?.trim().slice(0, 64)) || direct;
  }
}

/** One WebSocket: its limits and its end. */
class RoomSocket {
  /** Resolves when it is closed. */
  readonly gone: Promise<void>;
  readonly #webSocket: WebSocket;
  readonly #session: RoomSession;
  readonly #logger: Logger;
  #answered = true;

  constructor(webSocket: WebSocket, remoteAddress: string, options: RoomDoorOptions & { readonly roomId: string }) {
    this.#webSocket = webSocket;
    this.#logger = options.logger.child({ room: options.roomId, remote: remoteAddress });
    this.#session = new RoomSession({
      rooms: options.rooms,
      programs: options.programs,
      roomId: options.roomId,
      iceServers: options.iceServers,
      clock: options.clock,
      logger: this.#logger,
      outlet: {
        remoteAddress,
        send: (text, droppable) => this.#send(text, droppable),
        close: (code, reason) => this.close(code, reason),
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    webSocket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    webSocket.on("pong", () => {
      this.#answered = true;
    });
    webSocket.on("error", (error) => this.#logger.debug({ err: error }, "room socket failed"));
    webSocket.once("close", (code) => {
      // 1001: the page was left.
      this.#session.onClosed(code === 1000 || code === 1001);
      resolve();
    });
  }

  /** Ends a peer that has not answered the last ping, and sends the next. */
  ping(): void {
    const { readyState, OPEN } = this.#webSocket;
    if (readyState === OPEN && this.#answered) {
      this.#answered = false;
      this.#webSocket.ping();
    } else {
      this.terminate();
    }
  }

  close(code: number, reason: string): void {
    // A close frame has room for 123 bytes of words (RFC 6455 § 5.5).
    this.#webSocket.close(
      code,
      Buffer.from(reason)
        .subarray(0, 120)
        .toString("utf8")
        .replace(/\uFFFD+$/, ""),
    );
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (isBinary) this.#session.close(ROOM_CLOSE.protocol, "messages are text");
    else this.#session.onMessage((data as Buffer).toString("utf8"));
  }

  #send(text: string, droppable: boolean): void {
    const { bufferedAmount } = this.#webSocket;
    if (droppable && bufferedAmount > DROP_ABOVE) return;
    if (bufferedAmount > CLOSE_ABOVE) {
      this.#logger.info({ waiting: bufferedAmount }, "room socket is too slow");
      this.#session.close(ROOM_CLOSE.overloaded, "too slow to take what is sent");
      this.terminate();
      return;
    }
    this.#webSocket.send(text);
  }
}

function ignore(): void {
  // The connection is gone, which its close says too.
}

function answerPlainly(socket: Duplex, status: number, words: string): void {
  socket.end(
    `HTTP/1.1 ${status} ${words}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(words)}\r\n\r\n${words}`,
  );
}

import type { RoomWireTransport } from "./room-wire-transport.ts";

/** Said goodbye (RFC 6455 § 7.4.1). */
const NORMAL = 1000;

/** The part of a `WebSocket` that is used. */
export type RoomSocket = Pick<WebSocket, "send" | "close" | "addEventListener">;

/** A room's messages by a WebSocket of this page. */
export class WebSocketTransport implements RoomWireTransport {
  onMessage: ((text: string) => void) | undefined;
  onClose: ((code: number) => void) | undefined;
  readonly #socket: RoomSocket;
  /** A handful: who waits for the answer to each says how long. */
  readonly #unsent: string[] = [];
  #open = false;
  #closed = false;

  constructor(socket: RoomSocket) {
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#open = true;
      for (const text of this.#unsent.splice(0)) socket.send(text);
    });
    socket.addEventListener("message", ({ data }) => {
      if (!this.#closed) this.onMessage?.(String(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.#closed) return;
      this.#closed = true;
      this.onClose?.(code);
    });
  }

  send(text: string): void {
    if (this.#closed) return;
    if (this.#open) this.#socket.send(text);
    else this.#unsent.push(text);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsent.length = 0;
    this.#socket.close(NORMAL);
  }
}

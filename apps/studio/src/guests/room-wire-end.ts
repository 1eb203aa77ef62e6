import { KliegError, ROOM_CLOSE } from "@klieg/protocol";
import type { ConnectRoom, RoomSocket } from "./guest-room-ports.ts";
import { RoomRelay, type RoomRelayOptions } from "./room-relay.ts";

export interface RoomWireEndOptions {
  readonly url: string;
  readonly connect: ConnectRoom;
  readonly relay: RoomRelayOptions;
  readonly onMessage: (text: string) => void;
  /** Once; not after {@link RoomWireEnd.close} or {@link RoomWireEnd.abandon}. */
  readonly onClosed: (code: number) => void;
}

/** Messages that may wait until the socket is open; a page joins with one. */
const MAX_WAITING = 16;
/** What may wait to leave, bytes; a network that takes less is as good as none. */
const MAX_BUFFERED = 512 * 1024;

/** A page's wire to its room, at the end where the socket is. */
export class RoomWireEnd {
  readonly #options: RoomWireEndOptions;
  readonly #relay: RoomRelay;
  readonly #waiting: string[] = [];
  readonly #socket: RoomSocket;
  #open = false;
  #over = false;

  /** Begins to connect at once. */
  constructor(options: RoomWireEndOptions) {
    this.#options = options;
    this.#relay = new RoomRelay(options.relay);
    this.#socket = options.connect(options.url, {
      onOpen: () => {
        this.#open = true;
        for (const text of this.#waiting.splice(0)) this.#socket.send(text);
      },
      onMessage: (text) => {
        const told = this.#over ? undefined : this.#relay.toPage(text);
        if (told !== undefined) options.onMessage(told);
      },
      onClose: (code) => this.#lose(code),
    });
  }

  /** A page's message. @throws {KliegError} for what may not be asked. A room that does not take it loses the wire. */
  send(text: string): void {
    if (this.#over) throw new KliegError("not_found", "This wire to the room is over.");
    const sent = this.#relay.toRoom(text);
    if (this.#open) this.#socket.send(sent);
    else this.#waiting.push(sent);
    if (this.#waiting.length > MAX_WAITING || this.#socket.buffered > MAX_BUFFERED) {
      this.#socket.abandon();
      this.#lose(ROOM_CLOSE.overloaded);
    }
  }

  /** Leaves the room. Idempotent. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.close();
  }

  /** Lets go of the room; the place in it is kept for a while. Idempotent. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.abandon();
  }

  #lose(code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.length = 0;
    this.#options.onClosed(code);
  }
}

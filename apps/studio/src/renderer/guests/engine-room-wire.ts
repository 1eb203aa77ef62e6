import { KliegError, ROOM_CLOSE, type StudioEvent } from "@klieg/protocol";
import type { RoomWireTransport } from "@klieg/room";
import type { EngineLink } from "../state/engine-store.ts";

/** Closed without a close frame (RFC 6455 § 7.4.1). */
const ABNORMAL = 1006;

/**
 * A wire to the room of the show's guests, whose socket the engine has: so the room's tokens never are in this page. Begins to open at
 * once; text that is sent before waits.
 */
export class EngineRoomWire implements RoomWireTransport {
  onMessage: ((text: string) => void) | undefined;
  onClose: ((code: number) => void) | undefined;
  readonly #link: EngineLink;
  readonly #subscriptions: DisposableStack = new DisposableStack();
  readonly #unsent: string[] = [];
  #wire: number | undefined;
  #closed = false;

  constructor(link: EngineLink) {
    this.#link = link;
    this.#subscriptions.use(link.onEvent((event) => this.#receive(event)));
    // The engine lets go of the wire by itself when it loses its page.
    this.#subscriptions.use(link.onState(({ state }) => state !== "open" && this.#lose(ABNORMAL)));
    void this.#open();
  }

  send(text: string): void {
    if (this.#closed) return;
    if (this.#wire === undefined) this.#unsent.push(text);
    else this.#sendTo(this.#wire, text);
  }

  close(): void {
    if (this.#closed) return;
    this.#end();
    if (this.#wire !== undefined) this.#goodbye(this.#wire);
  }

  async #open(): Promise<void> {
    try {
      const { wire } = await this.#link.request("open_room_wire", {});
      this.#wire = wire;
      if (this.#closed) this.#goodbye(wire);
      for (const text of this.#unsent.splice(0)) this.#sendTo(wire, text);
    } catch (error) {
      this.#lose(codeOf(error));
    }
  }

  #sendTo(wire: number, text: string): void {
    this.#link.request("send_to_room", { wire, text }).catch((error: unknown) => {
      if (this.#closed) return;
      // What may not be asked is a mistake of this page, and is not answered; else the wire is gone.
      console.warn("Klieg: the engine did not send to the room:", error);
      if (error instanceof KliegError && error.code === "not_found") this.#lose(ABNORMAL);
    });
  }

  #goodbye(wire: number): void {
    this.#link.request("close_room_wire", { wire }).catch((error: unknown) => {
      console.info("Klieg: the wire to the room was gone already:", error);
    });
  }

  #receive(event: StudioEvent): void {
    if (this.#closed) return;
    if (event.event === "room_message" && event.wire === this.#wire) this.onMessage?.(event.text);
    else if (event.event === "room_wire_closed" && event.wire === this.#wire) this.#lose(event.code);
  }

  #lose(code: number): void {
    if (this.#closed) return;
    this.#end();
    this.onClose?.(code);
  }

  #end(): void {
    this.#closed = true;
    this.#unsent.length = 0;
    this.#subscriptions.dispose();
  }
}

/** What a refusal of the engine means as the close of a socket: some are final. */
function codeOf(error: unknown): number {
  if (!(error instanceof KliegError)) return ABNORMAL;
  switch (error.code) {
    case "not_found":
    case "gone":
      return ROOM_CLOSE.ended;
    case "forbidden":
    case "stream_key_missing":
    case "stream_key_invalid":
    case "stream_key_revoked":
      return ROOM_CLOSE.refused;
    case "rate_limited":
      return ROOM_CLOSE.overloaded;
    default:
      return ABNORMAL;
  }
}

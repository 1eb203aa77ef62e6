import { type Clock, systemClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { GuestDoor } from "../guests/guest-door.ts";
import { KliegRooms } from "./backend/klieg-rooms.ts";
import type { EngineHandlers, EngineOutlet } from "./engine-handlers.ts";
import type { EngineSession } from "./engine-session.ts";
import { connectRoom } from "./guests/web-socket.ts";
import type { EngineStores } from "./keeping-requests.ts";

/** The room of the show's guests, from the pages' side (STU7): one room, its link, and wires to it for the page on stage. */
export class Guests implements Disposable {
  readonly #door: GuestDoor;

  constructor(options: { readonly clock?: Clock; readonly stores: EngineStores; readonly outlet: EngineOutlet }) {
    const { clock = systemClock, stores, outlet } = options;
    const { show, secrets } = stores;
    this.#door = new GuestDoor({
      clock,
      connect: connectRoom,
      onState: (guest_room) => outlet.tell({ event: "guest_room", guest_room }),
      memory: {
        load: (holder) => secrets.get(holder, "guest_room"),
        save: (holder, text) => secrets.set(holder, "guest_room", text ?? ""),
      },
      serverOf: async (id) => {
        const destination = show.document.destinations.find((candidate) => candidate.id === id);
        if (destination?.kind !== "klieg") throw new KliegError("not_found", "The show has no such Klieg server.");
        const key = await secrets.get(id, "stream_key");
        if (key === undefined) throw new KliegError("stream_key_missing", "Enter the destination's stream key first.");
        return { url: destination.url, server: new KliegRooms(destination.url, key) };
      },
    });
  }

  readonly handlers: EngineHandlers<
    | "open_guest_room"
    | "close_guest_room"
    | "renew_guest_invite"
    | "open_room_wire"
    | "send_to_room"
    | "close_room_wire"
  > = {
    open_guest_room: async ({ destination_id: id }) => ({ guest_room: await this.#door.open(id) }),
    close_guest_room: async () => {
      await this.#door.close();
      return {};
    },
    renew_guest_invite: async () => ({ guest_room: await this.#door.renewInvite() }),
    open_room_wire: async (_request, session) => {
      if (session.role !== "stage") throw new KliegError("forbidden", "Only the page on stage takes part in the room.");
      const wire = await this.#door.openWire(session, {
        onMessage: (wire, text) => session.tell({ event: "room_message", wire, text }),
        onClosed: (wire, code) => session.tell({ event: "room_wire_closed", wire, code }),
      });
      // Its page may have gone meanwhile.
      if (!session.open) this.#door.abandon(session);
      return { wire };
    },
    send_to_room: ({ wire, text }, session) => {
      this.#door.send(session, wire, text);
      return {};
    },
    close_room_wire: ({ wire }, session) => {
      this.#door.closeWire(session, wire);
      return {};
    },
  };

  greet(session: EngineSession): void {
    session.tell({ event: "guest_room", guest_room: this.#door.state });
  }

  pageGone(session: EngineSession): void {
    this.#door.abandon(session);
  }

  /** Leaves the room, which goes on. Idempotent. */
  [Symbol.dispose](): void {
    this.#door[Symbol.dispose]();
  }
}

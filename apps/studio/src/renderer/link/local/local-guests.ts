import type { Clock } from "@klieg/base";
import { KliegError, type StudioAnswerOf, type StudioEvent, type StudioRequestOf } from "@klieg/protocol";
import type { Destination } from "../../../document/destination.ts";
import { GuestDoor } from "../../../guests/guest-door.ts";
import { localStrings } from "../../strings/local.ts";
import type { KliegDoor } from "./klieg-door.ts";
import type { LocalMemory } from "./local-memory.ts";
import { connectRoom } from "./room-socket.ts";

export interface LocalGuestsOptions {
  readonly clock: Clock;
  readonly memory: LocalMemory;
  readonly destinations: () => readonly Destination[];
  /** @throws {KliegError} `stream_key_missing`. */
  readonly doorOf: (destination: Destination) => KliegDoor;
  readonly tell: (event: StudioEvent) => void;
}

type GuestRequest =
  | "open_guest_room"
  | "close_guest_room"
  | "renew_guest_invite"
  | "open_room_wire"
  | "send_to_room"
  | "close_room_wire";
type GuestAnswers = {
  readonly [T in GuestRequest]: (request: StudioRequestOf<T>) => Promise<StudioAnswerOf<T>>;
};

/** The room of the show's guests where the page is alone (STU7): at the server that the page is from, since rooms speak to no others. */
export class LocalGuests implements Disposable {
  readonly #options: LocalGuestsOptions;
  readonly #door: GuestDoor;

  constructor(options: LocalGuestsOptions) {
    this.#options = options;
    const { clock, memory, tell } = options;
    this.#door = new GuestDoor({
      clock,
      connect: connectRoom,
      onState: (guest_room) => tell({ event: "guest_room", guest_room }),
      memory: {
        load: async (holder) => memory.secret(holder, "guest_room"),
        save: async (holder, text) => memory.setSecret(holder, "guest_room", text ?? ""),
      },
      serverOf: async (id) => this.#serverOf(id),
    });
  }

  readonly answers: GuestAnswers = {
    open_guest_room: async ({ destination_id: id }) => ({ guest_room: await this.#door.open(id) }),
    close_guest_room: async () => {
      await this.#door.close();
      return {};
    },
    renew_guest_invite: async () => ({ guest_room: await this.#door.renewInvite() }),
    open_room_wire: async () => {
      const { tell } = this.#options;
      const wire = await this.#door.openWire(this, {
        onMessage: (wire, text) => tell({ event: "room_message", wire, text }),
        onClosed: (wire, code) => tell({ event: "room_wire_closed", wire, code }),
      });
      return { wire };
    },
    send_to_room: async ({ wire, text }) => {
      this.#door.send(this, wire, text);
      return {};
    },
    close_room_wire: async ({ wire }) => {
      this.#door.closeWire(this, wire);
      return {};
    },
  };

  /** Right after a page's greeting. */
  tellAll(): void {
    this.#options.tell({ event: "guest_room", guest_room: this.#door.state });
  }

  /** The page's link is gone, or another one takes its place. */
  pageGone(): void {
    this.#door.abandon(this);
  }

  /** Leaves the room, which goes on. Idempotent. */
  [Symbol.dispose](): void {
    this.#door[Symbol.dispose]();
  }

  #serverOf(id: string) {
    const { destinations, doorOf } = this.#options;
    const destination = destinations().find((candidate) => candidate.id === id);
    if (destination?.kind !== "klieg") throw new KliegError("not_found", localStrings.noSuchDestination);
    if (new URL(destination.url).origin !== location.origin) {
      throw new KliegError("not_supported", localStrings.guestsElsewhere(location.host));
    }
    return { url: location.origin, server: doorOf(destination).rooms };
  }
}

import type { Clock } from "@klieg/base";
import {
  CLOSED_GUEST_ROOM,
  type CreatedInvite,
  type GuestRoomState,
  InviteId,
  InviteToken,
  KliegError,
  ROOM_CLOSE,
  RoomId,
} from "@klieg/protocol";
import { z } from "zod";
import type { ConnectRoom, GuestRoomMemory, GuestRoomServer } from "./guest-room-ports.ts";
import { RoomWireEnd } from "./room-wire-end.ts";

/** What is kept of a destination's room, with its tokens. */
const KeptRoom = z.object({
  /** Of the backend: elsewhere it is another room. */
  url: z.string().max(2000),
  room: RoomId,
  host: z.object({ id: InviteId, token: InviteToken, expires_at: z.iso.datetime() }).nullable(),
  guest: z.object({ id: InviteId, link: z.string().max(4000), expires_at: z.iso.datetime() }).nullable(),
});
type KeptRoom = z.infer<typeof KeptRoom>;

export interface GuestDoorOptions {
  readonly clock: Clock;
  /** The backend of a destination, spoken to with its stream key. @throws {KliegError} where it is none, or has no key. */
  readonly serverOf: (destinationId: string) => Promise<{ readonly url: string; readonly server: GuestRoomServer }>;
  readonly memory: GuestRoomMemory;
  readonly connect: ConnectRoom;
  readonly onState: (state: GuestRoomState) => void;
}

/** What a page is told of its wire. */
export interface WireEvents {
  readonly onMessage: (wire: number, text: string) => void;
  /** Once; not after the page closed it. */
  readonly onClosed: (wire: number, code: number) => void;
}

interface OpenRoom {
  readonly destinationId: string;
  readonly server: GuestRoomServer;
  kept: KeptRoom;
}

interface Wire {
  readonly owner: object;
  readonly end: RoomWireEnd;
}

const ROOM_TITLE = "Guests of the show";
const HOST_LABEL = "studio";
const GUEST_LABEL = "guests of the studio";
const DAY_S = 24 * 3600;
const HOST_INVITE_S = 30 * DAY_S;
const GUEST_INVITE_S = DAY_S;
/** An invite that has less left is replaced when the room is opened, ms. */
const HOST_LEAST_MS = 2 * DAY_S * 1000;
const GUEST_LEAST_MS = 3600 * 1000;
/** Wires that all pages may have: one that comes back may find its last one still there. */
const MAX_WIRES = 8;

/**
 * The studio's door to the room of its guests (STU7): finds or makes the room at a destination's backend, keeps its tokens to
 * itself, gives out the link for guests, and opens wires to the room for pages. Runs in the engine, and where the page is alone,
 * in the page's own one.
 */
export class GuestDoor implements Disposable {
  readonly #options: GuestDoorOptions;
  readonly #wires = new Map<number, Wire>();
  #state: GuestRoomState = CLOSED_GUEST_ROOM;
  #room: OpenRoom | undefined;
  /** Of the place that the studio has in the room: a page that is loaded again takes it again. */
  #resume: string | undefined;
  #nextWire = 1;
  /** One thing after another. */
  #work: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: GuestDoorOptions) {
    this.#options = options;
  }

  get state(): GuestRoomState {
    return this.#state;
  }

  /** Opens the room of a destination. @throws {KliegError} the server's; then the room is closed, and its problem says why. */
  open(destinationId: string): Promise<GuestRoomState> {
    return this.#inTurn(async () => {
      if (this.#room !== undefined) {
        if (this.#room.destinationId === destinationId) return this.#state;
        throw new KliegError("conflict", "There is a room at another destination: close that one first.");
      }
      this.#become({ ...CLOSED_GUEST_ROOM, state: "opening", destination_id: destinationId });
      try {
        const { url, server } = await this.#options.serverOf(destinationId);
        const kept = await this.#findOrMake(destinationId, url, server);
        this.#resume = undefined;
        this.#room = { destinationId, server, kept };
        this.#tellOpen(await this.#keep());
        return this.#state;
      } catch (error) {
        this.#room = undefined;
        const problem = KliegError.from(error);
        this.#become({ ...CLOSED_GUEST_ROOM, problem: problem.toBody().error });
        throw problem;
      }
    });
  }

  /**
   * Ends the room: guests are put out, its links are of no use. The room is closed here in any case.
   * @throws {KliegError} where it could not be ended there.
   */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      const room = this.#room;
      if (room === undefined) return;
      this.#leave();
      try {
        await room.server.end(room.kept.room);
        await this.#options.memory.save(room.destinationId, undefined);
        this.#become(CLOSED_GUEST_ROOM);
      } catch (error) {
        const problem = KliegError.from(error);
        this.#become({ ...CLOSED_GUEST_ROOM, problem: problem.toBody().error });
        throw problem;
      }
    });
  }

  /** Makes another link for guests, and revokes the one before. @throws {KliegError} */
  renewInvite(): Promise<GuestRoomState> {
    return this.#inTurn(async () => {
      const room = this.#room;
      if (room === undefined) throw new KliegError("not_found", "There is no room open.");
      const before = room.kept.guest;
      const guest = guestInvite(await this.#invite(room, "speaker"));
      room.kept = { ...room.kept, guest };
      if (before !== null) await room.server.revoke(room.kept.room, before.id);
      this.#tellOpen(await this.#keep());
      return this.#state;
    });
  }

  /**
   * Opens a wire to the room; it may be written to at once.
   * @param owner whose wire it is: nobody else can write to it or close it.
   * @throws {KliegError} `not_found` where there is no room open; `rate_limited`; the server's.
   */
  openWire(owner: object, events: WireEvents): Promise<number> {
    return this.#inTurn(async () => {
      const room = this.#room;
      if (room === undefined) throw new KliegError("not_found", "There is no room open.");
      if (this.#wires.size >= MAX_WIRES) throw new KliegError("rate_limited", "Too many wires to the room are open.");
      const token = await this.#hostToken(room);
      const id = this.#nextWire++;
      const end = new RoomWireEnd({
        url: room.server.socketUrl(room.kept.room),
        connect: this.#options.connect,
        relay: {
          tokens: () => ({ invite: token, resume: this.#resume }),
          onResumeToken: (resume) => {
            this.#resume = resume;
          },
          onRemoved: () => this.#removed(),
        },
        onMessage: (text) => events.onMessage(id, text),
        onClosed: (code) => {
          this.#wires.delete(id);
          events.onClosed(id, code);
          this.#wireClosed(room, code);
        },
      });
      this.#wires.set(id, { owner, end });
      return id;
    });
  }

  /** @throws {KliegError} `not_found` for a wire that is over; `bad_request`, `forbidden` for what may not be asked over it. */
  send(owner: object, wire: number, text: string): void {
    this.#wireOf(owner, wire).send(text);
  }

  /** Leaves the room by this wire. Does nothing where it is over already. */
  closeWire(owner: object, wire: number): void {
    const found = this.#wires.get(wire);
    if (found?.owner !== owner) return;
    this.#wires.delete(wire);
    this.#resume = undefined;
    found.end.close();
  }

  /** A page is gone: its place in the room is kept for the one that comes. */
  abandon(owner: object): void {
    for (const [id, wire] of this.#wires) {
      if (wire.owner !== owner) continue;
      this.#wires.delete(id);
      wire.end.abandon();
    }
  }

  /** Leaves the room, which goes on without the studio. Idempotent. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#leave();
  }

  async #findOrMake(destinationId: string, url: string, server: GuestRoomServer): Promise<KeptRoom> {
    const kept = keptOf(await this.#options.memory.load(destinationId));
    if (kept !== undefined && kept.url === url && (await server.find(kept.room)) !== undefined) {
      return this.#withInvite(kept, server);
    }
    const { room, invite } = await server.create(ROOM_TITLE);
    const { id, token, expires_at } = invite;
    return this.#withInvite({ url, room: room.id, host: { id, token, expires_at }, guest: null }, server);
  }

  async #withInvite(kept: KeptRoom, server: GuestRoomServer): Promise<KeptRoom> {
    if (kept.guest !== null && this.#left(kept.guest.expires_at) > GUEST_LEAST_MS) return kept;
    return { ...kept, guest: guestInvite(await server.invite(kept.room, "speaker", GUEST_INVITE_S, GUEST_LABEL)) };
  }

  async #hostToken(room: OpenRoom): Promise<string> {
    const { host } = room.kept;
    if (host !== null && this.#left(host.expires_at) > HOST_LEAST_MS) return host.token;
    const { id, token, expires_at } = await this.#invite(room, "host");
    room.kept = { ...room.kept, host: { id, token, expires_at } };
    if (host !== null) await room.server.revoke(room.kept.room, host.id);
    this.#tellOpen(await this.#keep());
    return token;
  }

  #invite({ server, kept }: OpenRoom, role: "host" | "speaker"): Promise<CreatedInvite> {
    const host = role === "host";
    return server.invite(kept.room, role, host ? HOST_INVITE_S : GUEST_INVITE_S, host ? HOST_LABEL : GUEST_LABEL);
  }

  /** The server revoked the invite of whoever was removed: most likely the one link that all guests have. */
  #removed(): void {
    this.renewInvite().catch((error: unknown) => {
      if (this.#room === undefined) return;
      this.#become({ ...this.#state, invite: null, problem: KliegError.from(error).toBody().error });
    });
  }

  #wireClosed(room: OpenRoom, code: number): void {
    if (room !== this.#room) return;
    if (code === ROOM_CLOSE.refused) {
      // Revoked by somebody, or the server's keys are others: the next wire is opened with another invite.
      room.kept = { ...room.kept, host: null };
      this.#resume = undefined;
    } else if (code === ROOM_CLOSE.ended) {
      this.#leave();
      void this.#forget(room.destinationId);
      const problem = new KliegError("gone", "Somebody else ended the room.");
      this.#become({ ...CLOSED_GUEST_ROOM, problem: problem.toBody().error });
    }
  }

  async #forget(destinationId: string): Promise<void> {
    try {
      await this.#options.memory.save(destinationId, undefined);
    } catch (error) {
      // The next time, the server says that the room is gone.
      this.#become({ ...this.#state, problem: KliegError.from(error).toBody().error });
    }
  }

  /** @returns why it is not kept: then the room is open all the same, and another one the next time. */
  async #keep(): Promise<KliegError | undefined> {
    if (this.#room === undefined) return undefined;
    try {
      await this.#options.memory.save(this.#room.destinationId, JSON.stringify(this.#room.kept));
      return undefined;
    } catch (error) {
      return KliegError.from(error);
    }
  }

  #leave(): void {
    this.#room = undefined;
    this.#resume = undefined;
    const wires = [...this.#wires.values()];
    this.#wires.clear();
    for (const { end } of wires) end.close();
  }

  #wireOf(owner: object, id: number): RoomWireEnd {
    const wire = this.#wires.get(id);
    if (wire === undefined || wire.owner !== owner) throw new KliegError("not_found", "This wire to the room is over.");
    return wire.end;
  }

  #tellOpen(problem: KliegError | undefined): void {
    if (this.#room === undefined) return;
    const { destinationId, kept } = this.#room;
    this.#become({
      state: "open",
      destination_id: destinationId,
      room_id: kept.room,
      invite: kept.guest,
      problem: problem?.toBody().error ?? null,
    });
  }

  #become(state: GuestRoomState): void {
    this.#state = state;
    if (!this.#closed) this.#options.onState(state);
  }

  #left(expiresAt: string): number {
    return Date.parse(expiresAt) - this.#options.clock.wall();
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#work.then(() => {
      if (this.#closed) throw new KliegError("shutting_down", "The studio is closing.");
      return run();
    });
    this.#work = done.catch(() => undefined);
    return done;
  }
}

function guestInvite({ id, link, expires_at }: CreatedInvite): NonNullable<KeptRoom["guest"]> {
  return { id, link, expires_at };
}

function keptOf(text: string | undefined): KeptRoom | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed = KeptRoom.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // Damaged: as if there were none.
  }
}

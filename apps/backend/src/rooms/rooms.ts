import type { Clock } from "@klieg/base";
import {
  type CreatedInvite,
  type InviteInfo,
  KliegError,
  RoomId,
  type RoomInfo,
  type RoomJoined,
  type RoomRole,
} from "@klieg/protocol";
import type { Channels } from "../channels/channels.ts";
import type { Logger } from "../ports/logger.ts";
import type { Repositories, RoomInviteRecord, RoomRecord } from "../ports/repositories.ts";
import type { IceServers } from "../sfu/ice-servers.ts";
import type { Sfu } from "../sfu/sfu.ts";
import type { InviteClaims, InviteSigner } from "./invite-signer.ts";
import type { Participant } from "./participant.ts";
import { Room } from "./room.ts";
import type { RoomConnection } from "./room-connection.ts";
import { newInviteId, newRoomId } from "./room-id.ts";

export interface RoomsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly repositories: Repositories;
  readonly channels: Channels;
  readonly sfu: Sfu;
  readonly iceServers: IceServers;
  readonly signer: InviteSigner;
  /** The address that an invite is given out as. */
  readonly inviteLink: (roomId: string, token: string) => string;
  /** In one room; more are refused. */
  readonly maxParticipants: number;
  /** A room is let go of: what is made of it ends. */
  readonly onReleased: (room: Room) => Promise<void>;
}

const MAX_INVITES = 1000;
/** Of one channel; for the operator, all in all. */
const MAX_OPEN_ROOMS = 1000;
/** An invite that expired so long ago is no longer listed, ms. */
const EXPIRED_INVITES_KEPT_MS = 7 * 24 * 3600 * 1000;

/** Every room of this backend (RTC2): those in the repositories, and of them those that somebody is in. */
export class Rooms implements AsyncDisposable {
  readonly #options: RoomsOptions;
  readonly #live = new Map<string, Room>();
  readonly #releasing = new Set<Promise<void>>();
  #closed = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  /** Rooms that somebody is in, or may come back to. */
  get live(): Iterable<Room> {
    return this.#live.values();
  }

  /** To be called once, before the first room is joined. */
  async prepare(): Promise<void> {
    const { repositories, clock } = this.#options;
    await repositories.roomInvites.deleteExpired(clock.wall() - EXPIRED_INVITES_KEPT_MS);
  }

  /**
   * A new room with an invite for its host.
   * @param channel what it may go on air on, and the stream key that says so, where one did.
   * @throws {KliegError} `conflict` where there are too many.
   */
  async create(options: {
    title: string | undefined;
    channel: string | undefined;
    keyId: string | undefined;
    inviteExpiresInS: number;
  }): Promise<{ record: RoomRecord; invite: CreatedInvite }> {
    const { clock, repositories, logger } = this.#options;
    if ((await this.list(options.channel)).length >= MAX_OPEN_ROOMS) {
      throw new KliegError("conflict", `There are ${MAX_OPEN_ROOMS} rooms already; end some that are no longer used.`);
    }
    const record: RoomRecord = {
      id: newRoomId(),
      title: options.title ?? "Room",
      channel: options.channel ?? null,
      keyId: options.keyId ?? null,
      locked: false,
      createdAt: clock.wall(),
      endedAt: null,
    };
    await repositories.rooms.insert(record);
    logger.info({ room: record.id, channel: record.channel }, "room created");
    const invite = await this.createInvite(record.id, {
      role: "host",
      expiresInS: options.inviteExpiresInS,
      label: "first host",
    });
    return { record, invite };
  }

  /** @throws {KliegError} `not_found`, `gone` where it has ended. */
  async get(id: string): Promise<RoomRecord> {
    const record = await this.find(id);
    if (record.endedAt !== null) throw new KliegError("gone", "This room has ended.");
    return record;
  }

  /** The room, ended or not. @throws {KliegError} `not_found`. */
  async find(id: string): Promise<RoomRecord> {
    const record = RoomId.safeParse(id).success ? await this.#options.repositories.rooms.find(id) : undefined;
    if (record === undefined) throw new KliegError("not_found", "There is no such room.");
    return record;
  }

  /** Rooms that have not ended, newest first. @param channel of that channel only. */
  list(channel: string | undefined): Promise<RoomRecord[]> {
    const { repositories } = this.#options;
    return repositories.rooms.listOpen({ limit: MAX_OPEN_ROOMS, ...(channel === undefined ? {} : { channel }) });
  }

  describe(record: RoomRecord): RoomInfo {
    const participants = this.#live.get(record.id)?.participants.size ?? 0;
    return {
      id: record.id,
      title: record.title,
      locked: record.locked,
      open: participants > 0,
      participants,
      max_participants: this.#options.maxParticipants,
    };
  }

  /** @throws {KliegError} `not_found`, `gone`, `conflict` where there are too many. */
  async createInvite(
    roomId: string,
    options: { role: RoomRole; expiresInS: number; label: string },
  ): Promise<CreatedInvite> {
    const { clock, repositories, signer, inviteLink } = this.#options;
    const room = await this.get(roomId);
    if ((await repositories.roomInvites.listOf(room.id)).length >= MAX_INVITES) {
      throw new KliegError("conflict", `This room has ${MAX_INVITES} invites; make another room.`);
    }
    const createdAt = clock.wall();
    const record: RoomInviteRecord = {
      id: newInviteId(),
      room: room.id,
      role: options.role,
      label: options.label,
      createdAt,
      // A token counts in whole seconds.
      expiresAt: Math.floor(createdAt / 1000 + options.expiresInS) * 1000,
      revokedAt: null,
    };
    const token = await signer.signInvite(record);
    await repositories.roomInvites.insert(record);
    return { ...inviteInfo(record), token, link: inviteLink(room.id, token) };
  }

  /** @throws {KliegError} `not_found`. */
  async listInvites(roomId: string): Promise<InviteInfo[]> {
    const room = await this.find(roomId);
    return (await this.#options.repositories.roomInvites.listOf(room.id)).map(inviteInfo);
  }

  /** Nobody can join by it any more; who is in stays. @throws {KliegError} `not_found`. */
  async revokeInvite(roomId: string, inviteId: string): Promise<void> {
    const { repositories, clock } = this.#options;
    const invite = await repositories.roomInvites.find(inviteId);
    if (invite === undefined || invite.room !== roomId) {
      throw new KliegError("not_found", "This room has no such invite.");
    }
    await repositories.roomInvites.revoke(inviteId, clock.wall());
  }

  /** @throws {KliegError} `invite_invalid`, `invite_expired`: also where it is another room's or was revoked. */
  async admit(roomId: string, token: string): Promise<InviteClaims> {
    const { signer, repositories } = this.#options;
    const claims = await signer.verifyInvite(token);
    if (claims.room !== roomId) throw new KliegError("invite_invalid", "This link belongs to another room.");
    const record = await repositories.roomInvites.find(claims.id);
    if (record === undefined || record.room !== roomId || record.revokedAt !== null) {
      throw new KliegError("invite_invalid", "This link was withdrawn. Ask for a new one.");
    }
    return { ...claims, role: record.role };
  }

  /**
   * Takes somebody in.
   * @throws {KliegError} `not_found`, `gone`, `invite_invalid`, `invite_expired`, `room_locked`, `room_full`,
   *   `webrtc_unavailable`, `shutting_down`.
   */
  async join(
    roomId: string,
    request: { token: string; name: string; resumeToken: string | undefined },
    connection: RoomConnection,
  ): Promise<{ room: Room; participant: Participant; joined: RoomJoined }> {
    const record = await this.get(roomId);
    const known = this.#live.get(roomId);
    const seat = request.resumeToken === undefined ? undefined : known?.seatOf(request.resumeToken);
    // Who was let in before comes back to its seat, even if the invite has run out in the meantime.
    const admitted = seat ?? (await this.admit(roomId, request.token));
    if (this.#closed) throw new KliegError("shutting_down", "The server is shutting down; try again soon.");
    const room = this.#live.get(roomId) ?? this.#open(record);
    try {
      return { room, ...(await room.join({ admitted, name: request.name, connection })) };
    } catch (error) {
      this.#letGo(room);
      throw error;
    }
  }

  /** @throws {KliegError} `not_found`, `gone`. */
  async setLocked(roomId: string, locked: boolean): Promise<void> {
    const record = await this.get(roomId);
    if (record.locked === locked) return;
    await this.#options.repositories.rooms.update(roomId, { locked });
    this.#live.get(roomId)?.update({ locked });
  }

  /** Everybody is put out; nobody can join again. Its recordings stay. @throws {KliegError} `not_found`. */
  async end(roomId: string): Promise<void> {
    const record = await this.find(roomId);
    if (record.endedAt !== null) return;
    await this.#options.repositories.rooms.update(roomId, { endedAt: this.#options.clock.wall() });
    const room = this.#live.get(roomId);
    this.#live.delete(roomId);
    if (room !== undefined) {
      const released = this.#release(room);
      room.end();
      await released;
    }
    this.#options.logger.info({ room: roomId }, "room ended");
  }

  /** Puts somebody out, and revokes the invite that let it in. */
  async remove(room: Room, participant: Participant): Promise<void> {
    await this.#options.repositories.roomInvites.revoke(participant.seat.inviteId, this.#options.clock.wall());
    room.putOut(participant, "A host has removed you from the room.");
  }

  /** Tells everybody to come back, and lets go of every room. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const room of this.#live.values()) {
      void this.#release(room);
      room.dismiss("The server is restarting; you are connected again soon.");
    }
    this.#live.clear();
    await Promise.all(this.#releasing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(record: RoomRecord): Room {
    const room = new Room(record, this.#options);
    this.#live.set(record.id, room);
    room.events.on("deserted", () => this.#letGo(room));
    return room;
  }

  #letGo(room: Room): void {
    if (!room.deserted || this.#live.get(room.id) !== room) return;
    this.#live.delete(room.id);
    void this.#release(room);
    room.close();
  }

  #release(room: Room): Promise<void> {
    const released = this.#options
      .onReleased(room)
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error, room: room.id }, "a room's program did not end well");
      })
      .finally(() => this.#releasing.delete(released));
    this.#releasing.add(released);
    return released;
  }
}

function inviteInfo(record: RoomInviteRecord): InviteInfo {
  return {
    id: record.id,
    role: record.role,
    label: record.label,
    created_at: new Date(record.createdAt).toISOString(),
    expires_at: new Date(record.expiresAt).toISOString(),
    revoked_at: record.revokedAt === null ? null : new Date(record.revokedAt).toISOString(),
  };
}

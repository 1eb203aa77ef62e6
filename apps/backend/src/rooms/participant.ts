import type { RoomEvent, RoomParticipant, RoomRole } from "@klieg/protocol";
import type { ParticipantMedia } from "./participant-media.ts";
import type { RoomConnection } from "./room-connection.ts";

/** What is remembered of someone in a room: kept for a while for whoever was cut off. */
export interface Seat {
  readonly id: string;
  /** Whoever has it may take the seat again. */
  readonly resumeToken: string;
  /** The invite that it came by. */
  readonly inviteId: string;
  /** Unix ms. */
  readonly joinedAt: number;
  name: string;
  role: RoomRole;
  /** Unix ms; undefined while the hand is down. */
  handRaisedAt: number | undefined;
}

/** Somebody who is in a room now. */
export class Participant {
  readonly seat: Seat;
  readonly media: ParticipantMedia;
  readonly #connection: RoomConnection;

  constructor(seat: Seat, connection: RoomConnection, media: ParticipantMedia) {
    this.seat = seat;
    this.media = media;
    this.#connection = connection;
  }

  get id(): string {
    return this.seat.id;
  }

  get role(): RoomRole {
    return this.seat.role;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  describe(): RoomParticipant {
    const { id, name, role, joinedAt, handRaisedAt } = this.seat;
    return {
      id,
      name,
      role,
      joined_at: new Date(joinedAt).toISOString(),
      hand_raised_at: handRaisedAt === undefined ? null : new Date(handRaisedAt).toISOString(),
    };
  }

  tell(event: RoomEvent): void {
    this.#connection.tell(event);
  }

  /** @param code of `ROOM_CLOSE`. */
  disconnect(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }
}

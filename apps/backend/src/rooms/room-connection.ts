import type { RoomEvent } from "@klieg/protocol";

/** The way to one participant. */
export interface RoomConnection {
  readonly remoteAddress: string;
  /** Never blocks and never throws; one that cannot keep up loses levels first and is closed then. */
  tell(event: RoomEvent): void;
  /** @param code of `ROOM_CLOSE`. Idempotent. */
  close(code: number, reason: string): void;
}

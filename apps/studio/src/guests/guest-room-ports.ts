import type { CreatedInvite, CreatedRoom, RoomInfo, RoomRole } from "@klieg/protocol";

/** Rooms of one Klieg backend, by its HTTP API and the stream key of a channel. All of it throws KliegErrors. */
export interface GuestRoomServer {
  /** @returns undefined where there is no such room any more. */
  find(roomId: string): Promise<RoomInfo | undefined>;
  create(title: string): Promise<CreatedRoom>;
  invite(roomId: string, role: RoomRole, expiresInS: number, label: string): Promise<CreatedInvite>;
  /** Does nothing where there is no such room or invite. */
  revoke(roomId: string, inviteId: string): Promise<void>;
  /** Does nothing where there is no such room. */
  end(roomId: string): Promise<void>;
  /** `ws:` or `wss:` address of the room. */
  socketUrl(roomId: string): string;
}

/** Where a socket's messages go. Nothing is told after `onClose`. */
export interface RoomSocketEvents {
  readonly onOpen: () => void;
  readonly onMessage: (text: string) => void;
  /** Once; not after its owner closed it. @param code of the WebSocket. */
  readonly onClose: (code: number) => void;
}

/** A WebSocket to a room, bounded in what it takes. */
export interface RoomSocket {
  send(text: string): void;
  /** Bytes that wait to leave. */
  readonly buffered: number;
  /** Says goodbye: the place in the room is given up. Idempotent. */
  close(): void;
  /** Lets go without a goodbye: the place is kept for a while. Idempotent. */
  abandon(): void;
}

export type ConnectRoom = (url: string, events: RoomSocketEvents) => RoomSocket;

/** Keeps one text for each destination, safe from others: it has the room's tokens. */
export interface GuestRoomMemory {
  load(destinationId: string): Promise<string | undefined>;
  /** @param text undefined: forget it. */
  save(destinationId: string, text: string | undefined): Promise<void>;
}

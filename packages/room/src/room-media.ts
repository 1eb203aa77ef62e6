import type { RoomEvent, RoomJoined, RoomProducer, RoomSource } from "@klieg/protocol";
import type { RoomAsk } from "./room-wire.ts";

/** How large a picture is shown, device pixels. */
export interface ShownSize {
  readonly width: number;
  readonly height: number;
}

/** At most what is received of a video. */
export interface ReceptionWish {
  readonly paused: boolean;
  /** 0 is the smallest; null: the best there is. */
  readonly spatialLayer: number | null;
  /** Who gets bandwidth first: 1 (last) to 255. */
  readonly priority: number;
}

/** The way that media takes between this tab and the room. One for each time that one joins. */
export interface RoomMedia extends Disposable {
  /** Sends `track` as `source`, instead of what was sent as it before. @throws {ApiError} as the server says. */
  publish(source: RoomSource, track: MediaStreamTrack, paused: boolean): Promise<void>;
  /** Sends nothing as `source` any more. The track itself goes on. */
  unpublish(source: RoomSource): Promise<void>;
  /** Begins to receive a producer. A video stays paused until `wish` says otherwise. @throws {ApiError} where it is gone. */
  receive(producer: RoomProducer): Promise<MediaStreamTrack>;
  wish(producerId: string, wish: ReceptionWish): Promise<void>;
  /** Its producer is gone. */
  forget(producerId: string): void;
  /** Media's own part of the room's events. */
  handle(event: RoomEvent): void;
  /** The track and everything else goes. Idempotent. */
  close(): void;
}

export interface RoomMediaOptions {
  readonly joined: RoomJoined;
  readonly ask: RoomAsk;
  /** Something of one's own is in the room now; told again with another id where it had to be sent anew. */
  readonly onSent: (producer: RoomProducer) => void;
  /** It was taken out again, by oneself. */
  readonly onUnsent: (producerId: string) => void;
  /** How well a producer arrives, 0 to 10; null while nothing is asked of it. */
  readonly onScore: (producerId: string, score: number | null) => void;
  /** A track that was received ended because its transport did, and is received again under another track. */
  readonly onTrack: (producerId: string, track: MediaStreamTrack) => void;
  /** Whether media flows: false while a transport is being mended. */
  readonly onHealth: (healthy: boolean) => void;
  /** Mending did not help: only joining again does. */
  readonly onBroken: () => void;
}

/** @throws {ApiError} `unsupported` where this browser cannot. */
export type OpenRoomMedia = (options: RoomMediaOptions) => Promise<RoomMedia>;

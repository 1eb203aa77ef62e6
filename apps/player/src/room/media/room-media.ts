import type { RoomEvent, RoomJoined, RoomProducer, RoomSource } from "@klieg/protocol";
import type { RoomAsk } from "../session/room-wire.ts";

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
  /** How well a producer arrives, 0 to 10. */
  readonly onScore: (producerId: string, score: number) => void;
  /** A track that was received ended because its transport did, and is received again under another track. */
  readonly onTrack: (producerId: string, track: MediaStreamTrack) => void;
  /** Whether media flows: false while a transport is being mended. */
  readonly onHealth: (healthy: boolean) => void;
  /** Mending did not help: only joining again does. */
  readonly onBroken: () => void;
}

/** @throws {ApiError} `unsupported` where this browser cannot. */
export type OpenRoomMedia = (options: RoomMediaOptions) => Promise<RoomMedia>;

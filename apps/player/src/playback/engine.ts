import type { Fault } from "./recovery.ts";
import type { Rendition } from "./rendition.ts";

/** Where the broadcast stands on the element's timeline, as the playlist last told. Seconds. */
export interface LiveEdge {
  /** The live edge now: the end of the playlist plus its age. */
  readonly edge: number;
  /** End of the media that the playlist names; what can be fetched at this moment. */
  readonly published: number;
  /** Begin of the live window. */
  readonly start: number;
  /** Distance from the edge that the server asks for. */
  readonly holdBack: number;
  /** Longest part; null when the playlist has no parts. */
  readonly partTarget: number | null;
  readonly targetDuration: number;
  /** False once the playlist has ended. */
  readonly live: boolean;
}

/** What an engine tells its owner. */
export interface EngineEvents {
  /** The ladder became known or changed. */
  renditions?(list: readonly Rendition[]): void;
  /** Another rendition is on screen. */
  rendition?(index: number): void;
  fault(fault: Fault): void;
}

/** What plays a source in the session's video element, whatever brings the media. */
export interface PlaybackEngine {
  readonly protocol: "hls.js" | "native" | "webrtc";
  /** Starts to load `url`. At most once. */
  load(url: string): void;
  /** Bits/s as measured. */
  bandwidth(): number | null;
  /** Fetch only this rendition from now on; null for automatic. */
  pin(index: number | null): void;
  /** Whether the engine chooses by itself, be it that a pinned rendition failed. */
  readonly automatic: boolean;
  /** The best rendition that automatic choice may take; null for any. */
  cap(index: number | null): void;
  /** Stops fetching while nothing is played, and goes on. */
  suspend(): void;
  resume(): void;
  /** Idempotent. Leaves the element empty. */
  destroy(): void;
}

/** Turns a playlist's URL into a playing video element. One engine plays one URL once. */
export interface PlaylistEngine extends PlaybackEngine {
  readonly protocol: "hls.js" | "native";
  /** Null until a media playlist was read, and for an engine that cannot tell. */
  liveEdge(): LiveEdge | null;
  /** Wall clock (PROGRAM-DATE-TIME) of the frame at the playhead, ms since the epoch. */
  playingDate(): number | null;
  /** Media cannot be fetched as fast as it is published: take the next lower rendition, and forget the measured bandwidth. */
  stepDown(): void;
  /** Distance from the edge to use where the engine places the playhead itself, seconds. */
  holdAt(target: number): void;
  recoverMedia(): void;
  swapAudioCodec(): void;
}

export interface EngineOptions {
  readonly video: HTMLVideoElement;
  readonly events: EngineEvents;
  /** Bits/s to assume at first. */
  readonly bandwidth: number;
  /** Which rendition to begin with, asked once when the ladder is known. */
  readonly chooseStart: (renditions: readonly Rendition[]) => {
    start: number | null;
    pinned: boolean;
    cap: number | null;
  };
}

export type EngineFactory = (options: EngineOptions) => Promise<PlaylistEngine>;

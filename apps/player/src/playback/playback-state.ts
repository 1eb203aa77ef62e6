import type { FailureReason } from "./recovery.ts";
import type { Rendition } from "./rendition.ts";

/**
 * `idle`: nothing to play yet. `ready`: there is, and it waits for the viewer. `loading`: on the way to the first frame.
 * `waiting`: ran dry. `ended`: the playlist ended and everything was played. `failed`: see `failure`.
 */
export type Phase = "idle" | "ready" | "loading" | "playing" | "paused" | "waiting" | "ended" | "failed";

/** What the browser's autoplay policy withheld. */
export type Withheld = "sound" | "playback";

/** The part of the broadcast that can be played, on the element's timeline, seconds. */
export interface LiveWindow {
  readonly start: number;
  /** Where "live" is: the edge minus the distance that is held. */
  readonly end: number;
  readonly position: number;
}

export interface Failure {
  readonly reason: FailureReason;
  /** When the next attempt comes, ms on the monotonic clock; null when there is none. */
  readonly retryAt: number | null;
  /** How many attempts failed in a row. */
  readonly attempt: number;
}

/** Everything that a control shows. */
export interface PlaybackState {
  readonly phase: Phase;
  /** Whether a frame of the current source was ever shown: else there is only black behind the words. */
  readonly pictured: boolean;
  /** Whether the source has a picture at all; null until known. */
  readonly hasVideo: boolean | null;
  readonly withheld: Withheld | null;
  readonly failure: Failure | null;
  readonly volume: number;
  readonly muted: boolean;
  /** False while the viewer watches the past on purpose. */
  readonly following: boolean;
  /** Seconds from ingest to the screen by wall clock, or else from the live edge; null until known. */
  readonly latency: number | null;
  readonly window: LiveWindow | null;
  readonly renditions: readonly Rendition[];
  /** Rendition on screen. */
  readonly current: Rendition | null;
  /** Rendition that the viewer pinned; null for automatic. */
  readonly pinned: Rendition | null;
  readonly pictureInPicture: boolean;
}

export const INITIAL_STATE: Omit<PlaybackState, "volume" | "muted"> = {
  phase: "idle",
  pictured: false,
  hasVideo: null,
  withheld: null,
  failure: null,
  following: true,
  latency: null,
  window: null,
  renditions: [],
  current: null,
  pinned: null,
  pictureInPicture: false,
};

/** The figures behind the picture, for whoever wants to know why it looks as it does. Seconds and bits/s. */
export interface Statistics {
  readonly protocol: "LL-HLS" | "HLS" | "HLS (native)";
  /** By PROGRAM-DATE-TIME against the server's clock. */
  readonly latencyByClock: number | null;
  /** From the live edge as the playlist tells it. */
  readonly latencyFromEdge: number | null;
  readonly target: number | null;
  readonly holdBack: number | null;
  readonly partTarget: number | null;
  readonly rate: number;
  readonly bufferAhead: number;
  readonly bandwidth: number | null;
  readonly rendition: Rendition | null;
  readonly frameSize: { readonly width: number; readonly height: number } | null;
  readonly droppedFrames: number;
  readonly totalFrames: number;
  readonly stalls: number;
  readonly stalledMs: number;
  /** From asking for the source to the first frame, ms. */
  readonly startUpMs: number | null;
  /** Server's clock minus this device's, ms. */
  readonly clockOffsetMs: number;
}

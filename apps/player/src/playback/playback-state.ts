import type { PlaybackMode } from "@klieg/protocol";
import type { StoreApi } from "zustand/vanilla";
import type { NetworkPath } from "./realtime/reception.ts";
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

/** Why a source is not watched in real time although it was wanted. */
export type RealtimeRefusal =
  /** No media came through this network. */
  | "blocked"
  /** This browser has no decoder for it. */
  | "unsupported"
  /** The server cannot, or not now. */
  | "unavailable"
  /** It worked, and then the connection was lost. */
  | "lost";

/** How the source may be watched. */
export interface Modes {
  /** Whether there is a choice: the source is to be had in real time, and this browser can. */
  readonly offered: boolean;
  /** What the viewer wants, or else the channel. */
  readonly chosen: PlaybackMode;
  /** Real time is on its way, and something else plays meanwhile. */
  readonly switching: boolean;
  /** Why it is not real time at the moment, although that was chosen. */
  readonly refusal: RealtimeRefusal | null;
}

/** Everything that a control shows. */
export interface PlaybackState {
  /** What is on screen. */
  readonly mode: PlaybackMode;
  readonly modes: Modes;
  /** To be told to the viewer now; null once it was. */
  readonly notice: RealtimeRefusal | null;
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

/** What begins anew with each source. */
export const UNPLAYED = {
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
} as const satisfies Partial<PlaybackState>;

export const INITIAL_STATE: Omit<PlaybackState, "volume" | "muted"> = {
  ...UNPLAYED,
  mode: "hls",
  modes: { offered: false, chosen: "hls", switching: false, refusal: null },
  notice: null,
  pictureInPicture: false,
};

export type PlaybackStore = Pick<StoreApi<PlaybackState>, "getState" | "setState">;

/** The figures behind the picture, for whoever wants to know why it looks as it does. Seconds and bits/s. */
export type Statistics = PlaylistStatistics | RealtimeStatistics;

/** Of a source that comes by playlists. */
export interface PlaylistStatistics {
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

/** Of a source that comes by WebRTC. */
export interface RealtimeStatistics {
  readonly protocol: "WebRTC";
  /** From the server's receiving to the screen. */
  readonly latency: number | null;
  readonly roundTrip: number | null;
  /** Share of the packets that never came, 0 to 1, in the last seconds. */
  readonly loss: number | null;
  readonly jitter: number | null;
  /** Mean time that frames waited in the jitter buffer. */
  readonly jitterBuffer: number | null;
  /** What the receivers are asked to hold back at least. */
  readonly jitterBufferTarget: number;
  /** Bits/s. */
  readonly bitrate: number | null;
  /** What the server thinks that the network carries, bits/s. */
  readonly bandwidth: number | null;
  readonly codec: string | null;
  readonly rendition: Rendition | null;
  readonly frameSize: { readonly width: number; readonly height: number } | null;
  readonly frameRate: number | null;
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly freezes: number;
  readonly frozenMs: number;
  readonly path: NetworkPath | null;
  /** How often the connection had to be made anew, or its path. */
  readonly reconnects: number;
  readonly stalls: number;
  readonly stalledMs: number;
  readonly startUpMs: number | null;
}

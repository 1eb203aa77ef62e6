import type { Bridge } from "../bridge.ts";
import type { PlaybackEngine } from "../engine.ts";
import type { RealtimeRefusal, RealtimeStatistics } from "../playback-state.ts";
import type { PinnedQuality, Rendition } from "../rendition.ts";
import type { SourceState } from "../source.ts";

/** What a real-time engine tells its owner until it retreats or is destroyed; all but `ready` and `gaveUp` while it has the element. */
export interface RealtimeEvents {
  /** Its first frame can be shown: `attach()` does. Once. */
  readonly ready: () => void;
  /** The element was given a stream, and is to be played. */
  readonly attached: () => void;
  /** Media comes no more, or again. */
  readonly flowing: (flows: boolean) => void;
  /** The server says that the broadcast is over. */
  readonly ended: () => void;
  /** The layers became known or changed. */
  readonly renditions: (list: readonly Rendition[]) => void;
  /** Another layer is on screen. */
  readonly rendition: (index: number) => void;
  /** Real time is not to be had. It does nothing more of itself. */
  readonly gaveUp: (refusal: RealtimeRefusal) => void;
}

/** Plays a source received by WebRTC. It comes up beside whatever has the element, and takes it when told to. */
export interface RealtimePlayback extends PlaybackEngine {
  readonly protocol: "webrtc";
  /** Index of the rendition that it keeps to; null where the server chooses. */
  readonly pinned: number | null;
  /** Asks what layers there are now. */
  refresh(): void;
  /** Takes the element. Before that it is left alone, and so it is after `retreat()`. */
  attach(): void;
  /** Gives the element away empty, and goes on in the bridge until destroyed. */
  retreat(): void;
  /** What the channel says about the encoder. */
  setSourceState(state: SourceState): void;
  /** Seconds from the server's receiving to the screen; null until known. */
  latency(): number | null;
  statistics(): Omit<RealtimeStatistics, "rendition" | "stalls" | "stalledMs" | "startUpMs">;
}

export interface RealtimeOptions {
  readonly video: HTMLVideoElement;
  readonly bridge: Bridge;
  readonly events: RealtimeEvents;
  readonly sourceState: SourceState;
  /** What the viewer pinned; null for automatic. Asked when the layers are known. */
  readonly pinned: () => PinnedQuality | null;
}

export type RealtimeFactory = (options: RealtimeOptions) => Promise<RealtimePlayback>;

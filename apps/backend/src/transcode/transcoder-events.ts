import type { AccessUnit } from "@klieg/media";
import type { StreamHealth } from "@klieg/protocol";
import type { TranscodedRendition } from "./rendition-stitcher.ts";

export type TranscodeHealth = NonNullable<StreamHealth["transcode"]>;
export type TranscodeState = TranscodeHealth["state"];

/** Takes what a transcoder makes. Called synchronously, access units of each rendition in decoding order. */
export interface TranscodeSink {
  onAccessUnit(rendition: TranscodedRendition, unit: AccessUnit): void;
}

export interface TranscoderEvents {
  state: { readonly state: TranscodeState; readonly previous: TranscodeState; readonly reason: string | undefined };
  /** What is made from now on, highest first, audio last; comes before the first access unit of a new one. */
  renditions: { readonly renditions: readonly TranscodedRendition[] };
  /** FFmpeg died, hung, or could not keep up, and is started anew. */
  restart: { readonly restarts: number; readonly reason: string; readonly delayMs: number };
  /** The machine could not keep up: `removed` is no longer made. */
  degraded: { readonly removed: string; readonly reason: string };
  /** What was removed is made once more. */
  restored: { readonly added: string };
  /** FFmpeg did not keep up: access units were dropped up to a keyframe. */
  dropped: { readonly accessUnits: number };
}

export interface TranscoderTimings {
  /** A running FFmpeg that makes nothing for so long, while media comes, is stalled. */
  readonly stalledMs: number;
  /** The same for one that has made nothing yet. */
  readonly startingMs: number;
  /** How long an FFmpeg may take to finish when another takes over, or the source has ended. */
  readonly drainMs: number;
  /**
   * When a rung that was taken away for lack of speed is tried again, twice as long after each time that it failed; also
   * how often it is asked whether the machine has room for more.
   */
  readonly restoreMs: number;
}

export const DEFAULT_TIMINGS: TranscoderTimings = {
  stalledMs: 1500,
  startingMs: 6000,
  drainMs: 2000,
  restoreMs: 60_000,
};

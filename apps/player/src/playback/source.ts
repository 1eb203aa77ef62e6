import type { PlaybackMode } from "@klieg/protocol";

/** Something to play. */
export interface Source {
  readonly streamId: string;
  /** URL of the multivariant playlist. */
  readonly url: string;
  /** URL of the WHEP door; null where the source is not to be had in real time. */
  readonly whep: string | null;
  /** How it is watched by those who have not chosen. */
  readonly defaultMode: PlaybackMode;
}

/** What the channel says about the encoder behind the source. */
export type SourceState = "live" | "interrupted" | "ended";

/** Something to play. */
export interface Source {
  readonly streamId: string;
  /** URL of the multivariant playlist. */
  readonly url: string;
}

/** What the channel says about the encoder behind the source. */
export type SourceState = "live" | "interrupted" | "ended";

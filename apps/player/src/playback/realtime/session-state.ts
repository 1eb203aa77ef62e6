/** What can be asked for instead of all of what is sent: a simulcast layer, or a spatial layer of one encoding (SVC). */
export interface Layer {
  readonly rid: string | null;
  readonly spatialLayer: number | null;
  /** Pixels; null where the server does not know. */
  readonly width: number | null;
  readonly height: number | null;
  readonly frameRate: number | null;
  /** Bits/s. */
  readonly bitrate: number | null;
}

/** How a session is doing. */
export interface SessionState {
  /** Whether its source is there. */
  readonly sending: boolean;
  /** Best first; one or none where there is nothing to choose. */
  readonly layers: readonly Layer[];
  /** Index into `layers` of the one that is sent; null where unknown. */
  readonly current: number | null;
}

/** The JSON of a session resource, as far as the player needs it. What it does not know counts as a session that sends. */
export function readSessionState(value: unknown): SessionState {
  const { state } = (value ?? {}) as { state?: unknown };
  return { sending: state !== "inactive", layers: [], current: null };
}

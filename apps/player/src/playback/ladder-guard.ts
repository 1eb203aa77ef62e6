/** What the guard looks at, a few times a second. Seconds, except `now`. */
export interface FetchReading {
  /** ms on a monotonic clock. */
  readonly now: number;
  /** Media that the playlist names but that was not fetched yet. */
  readonly backlog: number;
  /** Media ready to play after the playhead. */
  readonly bufferAhead: number;
  readonly holdBack: number;
  /** Longest part; null without parts. */
  readonly partTarget: number | null;
}

/** Share of the hold-back below which the buffer counts as low. */
const LOW_BUFFER = 0.6;
/** Parts (or shares of the hold-back) that may be waiting to be fetched in a healthy stream. */
const HEALTHY_BACKLOG_PARTS = 2;
/** Falling behind for this long is not a hiccup, ms. */
const LASTS_MS = 450;
/** After a step down, the next rendition gets this long to show that it fits, ms. */
const SETTLE_MS = 3000;

/**
 * Notices that media is published faster than it can be fetched, about a second before playback would run dry. Near the live edge the
 * bandwidth estimate, an average over seconds of loading, learns that too late: each part is small, and loads at once until it does not.
 */
export class LadderGuard {
  #behindSince: number | null = null;
  #settledAt = Number.NEGATIVE_INFINITY;

  /** Whether to take a lower rendition now. */
  shouldStepDown({ now, backlog, bufferAhead, holdBack, partTarget }: FetchReading): boolean {
    const healthy = HEALTHY_BACKLOG_PARTS * (partTarget ?? holdBack / 3);
    if (backlog <= healthy || bufferAhead >= holdBack * LOW_BUFFER || now < this.#settledAt) {
      this.#behindSince = null;
      return false;
    }
    this.#behindSince ??= now;
    if (now - this.#behindSince < LASTS_MS) return false;
    this.#behindSince = null;
    this.#settledAt = now + SETTLE_MS;
    return true;
  }
}

/** A change of rendition is held back no longer than this, ms: segments may be longer, or their end may go unnoticed. */
const LONGEST_MS = 5000;

/**
 * Lets the engine change the rendition between segments only. Near the live edge about a second is buffered. A rendition that is
 * joined in mid-segment replaces the pictures ahead by ones that cannot be decoded before the next keyframe: the picture would freeze
 * for up to a segment, with the sound going on. Between two segments the change does not show.
 */
export class SwitchGate {
  /** The rendition to change to in place of the automatic choice; null for none. */
  wanted: number | null = null;
  #midSegment = false;
  #forced: number | null = null;
  #heldSince: number | null = null;

  /** Whether a part was loaded that is not its segment's last. */
  get midSegment(): boolean {
    return this.#midSegment;
  }

  /** Media was loaded. @param endsSegment whether the next that is loaded begins another segment. */
  loaded(endsSegment: boolean): void {
    this.#midSegment = !endsSegment;
  }

  /** This rendition is taken at once when the automatic choice falls on it: the current one failed, or loads too slowly. */
  force(index: number): void {
    this.#forced = index;
  }

  /** The rendition to load next. @param automatic the automatic choice. @param current what was loaded last. @param now monotonic ms. */
  choose(automatic: number, current: number, now: number): number {
    if (this.#forced === current) this.#forced = null;
    const next = this.#forced === automatic ? automatic : (this.wanted ?? automatic);
    if (next === current || current < 0 || next === this.#forced || !this.#midSegment) return this.#pass(next);
    this.#heldSince ??= now;
    return now - this.#heldSince > LONGEST_MS ? this.#pass(next) : current;
  }

  #pass(index: number): number {
    this.#heldSince = null;
    return index;
  }
}

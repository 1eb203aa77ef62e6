import type { AccessUnit } from "@klieg/media";

/**
 * Leaves pictures out when a connection holds too much: from one picture up to a keyframe, never in between, since what
 * follows a missing picture cannot be decoded.
 */
export class FrameGate {
  readonly #onKeyframeWanted: () => void;
  #shut = false;
  #wants = false;
  #dropped = 0;

  constructor(onKeyframeWanted: () => void) {
    this.#onKeyframeWanted = onKeyframeWanted;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** The connection holds more than it may: nothing passes until a keyframe comes when it is `calm`. */
  shut(): void {
    this.#shut = true;
    this.#wants = false;
  }

  /** The connection has room again. A keyframe is asked for, once, rather than waited for. */
  calm(): void {
    if (!this.#shut || this.#wants) return;
    this.#wants = true;
    this.#onKeyframeWanted();
  }

  /** Whether the access unit is to be sent. Sound always is. */
  passes(unit: AccessUnit): boolean {
    if (unit.track.kind !== "video" || !this.#shut) return true;
    if (unit.keyframe && this.#wants) {
      this.#shut = false;
      return true;
    }
    this.#dropped += 1;
    return false;
  }
}

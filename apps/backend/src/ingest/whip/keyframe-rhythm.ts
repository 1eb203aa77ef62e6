import type { Clock } from "@klieg/base";

/** A request that was not answered is repeated after so long, ms, and later each time. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 8000;
/** A keyframe after this part of the interval begins a segment. */
const LONG_ENOUGH = 0.95;
/** A picture of which nothing came for so long stands still, ms. */
const STILL_MS = 1000;

/**
 * Has a WebRTC sender make a keyframe for each segment. Browsers make none by themselves. It is asked again only when it
 * has answered, or has had the time to.
 */
export class KeyframeRhythm {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #request: () => void;
  #lastKeyframeAt: number | undefined;
  #askedAt: number | undefined;
  #retryMs = FIRST_RETRY_MS;
  #lastFrameAt: number | undefined;

  /** @param intervalMs from one keyframe to the request for the next. */
  constructor(clock: Clock, intervalMs: number, request: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#request = request;
  }

  onFrame(keyframe: boolean): void {
    const now = this.#clock.now();
    this.#lastFrameAt = now;
    if (!keyframe) return;
    this.#askedAt = undefined;
    this.#retryMs = FIRST_RETRY_MS;
    // One that viewers asked for comes in between, and begins no segment.
    const last = this.#lastKeyframeAt;
    if (last === undefined || now - last >= this.#intervalMs * LONG_ENOUGH) this.#lastKeyframeAt = now;
  }

  /** A keyframe is needed whatever the rhythm: there was a loss. */
  askNow(): void {
    this.#askedAt = this.#clock.now();
    this.#request();
  }

  /** To be called some times a second. */
  tick(): void {
    const now = this.#clock.now();
    const last = this.#lastKeyframeAt;
    if (last === undefined || now - last < this.#intervalMs) return;
    // A picture that stands still, or is switched off, has nothing to begin a segment with.
    if (this.#lastFrameAt === undefined || now - this.#lastFrameAt > STILL_MS) return;
    if (this.#askedAt !== undefined) {
      if (now - this.#askedAt < this.#retryMs) return;
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    }
    this.askNow();
  }
}

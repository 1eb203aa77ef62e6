/** The first step up, and the last one before nothing is held back, ms. */
const STEP_MS = 40;
/** More delay would not be real time any more. */
const MOST_MS = 320;
/** Without a freeze for so long, the target is halved. */
const CALM_MS = 20_000;

/**
 * How much a receiver is to hold back beyond what the browser's own jitter buffer finds necessary
 * (`RTCRtpReceiver.jitterBufferTarget`): nothing, until freezes show that this was too little. Pure.
 */
export class JitterBufferTarget {
  #value = 0;
  #changedAt: number | null = null;

  /** ms */
  get value(): number {
    return this.#value;
  }

  /** @param freezes since the last update. @param now monotonic ms. @returns whether the target changed. */
  update(freezes: number, now: number): boolean {
    this.#changedAt ??= now;
    const before = this.#value;
    if (freezes > 0) {
      this.#value = Math.min(MOST_MS, Math.max(STEP_MS, before * 2));
      this.#changedAt = now;
    } else if (before > 0 && now - this.#changedAt >= CALM_MS) {
      this.#value = before > STEP_MS ? before / 2 : 0;
      this.#changedAt = now;
    }
    return this.#value !== before;
  }
}

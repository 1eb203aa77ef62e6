/** Frames that the figure is taken from. */
const WINDOW = 31;
/** Without a frame for so long, there is no figure. */
const STALE_MS = 2000;
/** More than this is a clock gone wrong, not a delay. */
const LONGEST_MS = 60_000;

/**
 * How long ago what is on the screen came into the server: the browser brings the sender's clock (RTCP sender reports) to its own and
 * tells of each frame when it was captured by it, and when it is shown (`requestVideoFrameCallback`).
 */
export class PictureLatency {
  readonly #video: HTMLVideoElement;
  readonly #recent: number[] = [];
  #callback: number | null = null;
  #lastAt = 0;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    if ("requestVideoFrameCallback" in video) this.#await();
  }

  /** Seconds, the median of the last frames; null where the browser cannot tell. */
  get seconds(): number | null {
    if (this.#recent.length === 0 || performance.now() - this.#lastAt > STALE_MS) return null;
    const sorted = this.#recent.toSorted((a, b) => a - b);
    return (sorted[sorted.length >> 1] ?? 0) / 1000;
  }

  /** Frames of another connection come now. */
  restart(): void {
    this.#recent.length = 0;
  }

  close(): void {
    if (this.#callback !== null) this.#video.cancelVideoFrameCallback(this.#callback);
    this.#callback = null;
  }

  #await(): void {
    this.#callback = this.#video.requestVideoFrameCallback((now, frame) => {
      const { captureTime, expectedDisplayTime } = frame;
      if (captureTime !== undefined) {
        const delay = expectedDisplayTime - captureTime;
        if (delay > 0 && delay < LONGEST_MS) {
          this.#lastAt = now;
          this.#recent.push(delay);
          if (this.#recent.length > WINDOW) this.#recent.shift();
        }
      }
      this.#await();
    });
  }
}

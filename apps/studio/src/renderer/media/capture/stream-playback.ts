import type { CaptureFrame } from "@klieg/protocol";
import { PlayoutClock } from "./playout-clock.ts";
import { StreamPicture } from "./stream-picture.ts";
import { StreamSound } from "./stream-sound.ts";

export interface StreamPlaybackOptions {
  readonly hardwareDecode: boolean;
  readonly lowLatency: boolean;
  /** The browser does not decode what comes. */
  readonly onUndecodable: (detail: string) => void;
  /** There is another track than before. */
  readonly onTracks: () => void;
}

/** What is held in hand against jitter at any rate, ms. */
const LOW_LATENCY_MS = 40;
const PATIENT_MS = 300;
/** Coded frames that wait to be due; a source that sends more at once loses the oldest. */
const MOST_WAITING = 400;

/**
 * Plays what the engine captures: coded frames wait until they are due, and are decoded then. What is due is looked for with each
 * message that comes, since timers of a hidden page are slow.
 */
export class StreamPlayback implements Disposable {
  readonly #options: StreamPlaybackOptions;
  readonly #clock: PlayoutClock;
  readonly #waiting: CaptureFrame[] = [];
  #picture: StreamPicture | undefined;
  #sound: StreamSound | undefined;
  /** By how much pictures are shown after they are decoded, ms: sound waits for them. */
  #reorderingMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: StreamPlaybackOptions) {
    this.#options = options;
    this.#clock = new PlayoutClock(options.lowLatency ? LOW_LATENCY_MS : PATIENT_MS);
  }

  get video(): MediaStreamTrack | undefined {
    return this.#picture?.track;
  }

  get audio(): MediaStreamTrack | undefined {
    return this.#sound?.track;
  }

  push(frame: CaptureFrame): void {
    if (frame.kind === "avc" || frame.kind === "aac") {
      // Sound comes later than the pictures that it belongs to: both wait for whichever is the last.
      const timestampMs = frame.timestamp / 1000 + (frame.kind === "aac" ? this.#reorderingMs : 0);
      // Another timeline: what waits of the one before would not be due for long.
      if (this.#clock.arrived(timestampMs, performance.now())) this.#flush();
    }
    switch (frame.kind) {
      case "aac_config":
        if (this.#sound === undefined) {
          this.#sound = new StreamSound((ms) => this.#clock.dueAt(ms + this.#reorderingMs));
          this.#options.onTracks();
        }
        this.#sound.configure(Uint8Array.from(frame.data));
        break;
      case "aac":
        this.#sound?.push(frame);
        break;
      case "avc_config":
        this.#reorderingMs = 0;
        if (this.#picture === undefined) {
          this.#picture = new StreamPicture(this.#options);
          this.#options.onTracks();
        }
        this.#wait(frame);
        break;
      case "avc":
        this.#reorderingMs = Math.max(this.#reorderingMs, frame.reordering / 1000);
        this.#wait(frame);
        break;
    }
    this.#pump();
  }

  /** The source is gone for now, or begins anew: what comes next has another timeline. */
  reset(): void {
    this.#clock.reset();
    this.#flush();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#picture?.[Symbol.dispose]();
    this.#sound?.[Symbol.dispose]();
    this.#picture = undefined;
    this.#sound = undefined;
  }

  #wait(frame: CaptureFrame): void {
    this.#waiting.push(frame);
    // The decoder finds its way from the next keyframe on.
    if (this.#waiting.length > MOST_WAITING) this.#flush();
  }

  #flush(): void {
    for (const frame of this.#waiting.splice(0)) this.#decode(frame);
    this.#sound?.silence();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    for (;;) {
      const [frame] = this.#waiting;
      if (frame === undefined) return;
      const due = frame.kind === "avc_config" ? now : (this.#clock.dueAt(frame.timestamp / 1000) ?? now);
      if (due > now) {
        this.#timer = setTimeout(() => this.#pump(), due - now);
        return;
      }
      this.#waiting.shift();
      this.#decode(frame);
    }
  }

  #decode(frame: CaptureFrame): void {
    if (frame.kind === "avc_config") this.#picture?.configure(Uint8Array.from(frame.data));
    else this.#picture?.push(frame);
  }
}

import type { Clock } from "@klieg/base";
import { type AccessUnit, type AudioTrack, TICKS_PER_SECOND, type VideoTrack } from "@klieg/media";
import { silentAacFrame } from "./silent-aac.ts";

export interface HeldProgramOptions {
  readonly clock: Clock;
  readonly video: VideoTrack;
  /** The last picture that stands by itself. */
  readonly picture: Uint8Array;
  readonly audio: AudioTrack | undefined;
  /** bits/s that the picture may take. */
  readonly bitrate: number;
  /** Timestamps count from 0, at the moment this began, in 90 kHz ticks. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
}

/** How often it looks at the clock, ms. */
const STEP_MS = 40;
/** The picture is repeated no more often and no more seldom than this, ms. */
const MOST_OFTEN_MS = 250;
const MOST_SELDOM_MS = 2000;
/** Share of the bit rate that the repeated picture may have: a held stream should not be the one that a network cannot carry. */
const SHARE_OF_BITRATE = 0.5;
const SAMPLES_PER_FRAME = 1024;

/**
 * What is on air while the page is gone (STU3: a reloaded renderer does not end the show): its last picture that can stand by
 * itself, again and again, and silence.
 */
export class HeldProgram implements Disposable {
  readonly #options: HeldProgramOptions;
  readonly #silence: Uint8Array | undefined;
  readonly #timer: Disposable;
  readonly #beganAt: number;
  readonly #pictureEveryTicks: number;
  #nextPicture = 0;
  #audioFrames = 0;

  constructor(options: HeldProgramOptions) {
    this.#options = options;
    const { clock, audio, picture, bitrate } = options;
    this.#silence = audio === undefined ? undefined : silentAacFrame(audio);
    const affordableMs = (picture.length * 8 * 1000) / (bitrate * SHARE_OF_BITRATE);
    const everyMs = Math.min(MOST_SELDOM_MS, Math.max(MOST_OFTEN_MS, affordableMs));
    this.#pictureEveryTicks = Math.round((everyMs * TICKS_PER_SECOND) / 1000);
    this.#beganAt = clock.now();
    this.#timer = clock.every(STEP_MS, () => this.#step());
    this.#step();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #step(): void {
    const { clock, video, picture, audio, onAccessUnit } = this.#options;
    const now = Math.round(((clock.now() - this.#beganAt) * TICKS_PER_SECOND) / 1000);
    while (this.#nextPicture <= now) {
      const dts = this.#nextPicture;
      this.#nextPicture += this.#pictureEveryTicks;
      onAccessUnit({ track: video, dts, pts: dts, keyframe: true, data: picture });
    }
    if (audio === undefined || this.#silence === undefined) return;
    for (;;) {
      const dts = Math.round((this.#audioFrames * SAMPLES_PER_FRAME * TICKS_PER_SECOND) / audio.sampleRate);
      if (dts > now) return;
      this.#audioFrames += 1;
      onAccessUnit({ track: audio, dts, pts: dts, keyframe: true, data: this.#silence });
    }
  }
}

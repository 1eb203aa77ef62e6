import type { BitrateReason } from "./bitrate-controller.ts";

/** What the video encoder is to make, and why. */
export interface VideoRateTarget {
  /** bits/s. */
  readonly bitrate: number;
  readonly reason: BitrateReason;
}

/** What MPEG-TS adds to the media; FLV adds less. */
const OVERHEAD = 1.05;
/** The picture is never made worse than this, bits/s, or this share of what was asked for. */
const LEAST_BITRATE = 250_000;
const LEAST_SHARE = 0.1;
/** A smaller change is not worth an encoder's trouble. */
const WORTH = 0.02;

/** One encoder for all destinations: the one that the network carries least to sets its rate (STU3). */
export class VideoRate {
  readonly #full: number;
  readonly #audio: number;
  #told: VideoRateTarget;

  /** @param encoding bits/s that the user asked for. */
  constructor(encoding: { readonly videoBitrate: number; readonly audioBitrate: number }) {
    this.#full = encoding.videoBitrate;
    this.#audio = encoding.audioBitrate;
    this.#told = { bitrate: this.#full, reason: "full" };
  }

  get target(): VideoRateTarget {
    return this.#told;
  }

  /** Between which a destination's controller moves, bits/s of all that is sent. */
  get limits(): { readonly lowest: number; readonly highest: number } {
    const least = Math.min(this.#full, Math.max(LEAST_BITRATE, this.#full * LEAST_SHARE));
    return { lowest: (least + this.#audio) * OVERHEAD, highest: (this.#full + this.#audio) * OVERHEAD };
  }

  /**
   * @param rates of the destinations that are live.
   * @returns the target where it is another than before by enough to be told.
   */
  update(rates: readonly { readonly target: number; readonly reason: BitrateReason }[]): VideoRateTarget | undefined {
    let slowest: (typeof rates)[number] | undefined;
    for (const rate of rates) if (slowest === undefined || rate.target < slowest.target) slowest = rate;
    const limited = slowest === undefined || slowest.reason === "full" ? undefined : slowest;
    const bitrate =
      limited === undefined ? this.#full : Math.min(this.#full, Math.round(limited.target / OVERHEAD - this.#audio));
    const reason = limited?.reason ?? "full";
    const told = this.#told;
    const backToFull = bitrate === this.#full && told.bitrate !== this.#full;
    if (!backToFull && reason === told.reason && Math.abs(bitrate - told.bitrate) < told.bitrate * WORTH)
      return undefined;
    if (bitrate === told.bitrate && reason === told.reason) return undefined;
    this.#told = { bitrate, reason };
    return this.#told;
  }
}

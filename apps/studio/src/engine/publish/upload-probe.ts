import type { LinkSample } from "./bitrate-controller.ts";

/** What was found, bits/s. */
export interface ProbedUpload {
  readonly bitrate: number;
  /** All that was tried got through: the network may carry more. */
  readonly atLeast: boolean;
}

/** What is sent at first, and at most, bits/s. */
const FIRST_BITRATE = 1_000_000;
const MOST_BITRATE = 20_000_000;
/** Each step is so many times the one before, and lasts so long, ms. */
const STEP = 1.35;
const STEP_MS = 250;
/** The network is full when the round trip is so much longer than at first, ms, or so many packets are lost. */
const QUEUE_MS = 80;
const LOSS_SHARE = 0.1;
/** What is delivered is counted over so long, ms. */
const WINDOW_MS = 600;
/** Once it was full, so much of what it carried is sent for so long, ms, to see that it was no hiccup. */
const HELD_SHARE = 0.85;
const DRAIN_MS = 1200;
const CONFIRM_MS = 150;
const HOLD_MS = 1500;
/** It ends by then, whatever was found, ms. */
const LONGEST_MS = 7000;

/** How much to send to find out what a network carries: more and more until it is full, then as much as it carried. Pure. */
export class UploadProbe {
  #rate = FIRST_BITRATE;
  #begun: number | undefined;
  #steppedAt = 0;
  /** Since when the rate of now is held, after what was there has drained. */
  #heldSince: number | undefined;
  #drainedBy = 0;
  #confirmAt: number | undefined;
  #carried: number | undefined;
  #shortest = Number.POSITIVE_INFINITY;
  #window: LinkSample[] = [];

  /** bits/s to send now. */
  get rate(): number {
    return this.#rate;
  }

  /** Takes a sample, about ten a second. @returns what was found, once that is known. */
  sample(sample: LinkSample): ProbedUpload | undefined {
    const { now, rttMs } = sample;
    this.#begun ??= now;
    this.#window.push(sample);
    while ((this.#window[0]?.now ?? now) < now - WINDOW_MS) this.#window.shift();
    if (now - this.#begun > LONGEST_MS) return this.#found(sample);
    if (rttMs === undefined) return undefined;
    this.#shortest = Math.min(this.#shortest, rttMs);
    if (this.#confirmAt !== undefined && now >= this.#confirmAt) {
      // By now it is known what came through while it was full all the time.
      this.#confirmAt = undefined;
      this.#carried = Math.max(this.#carried ?? 0, this.#delivered(sample));
      this.#rate = this.#carried * HELD_SHARE;
    }
    if (now < this.#drainedBy) return undefined;
    if (this.#full(sample, rttMs)) {
      this.#carried = this.#delivered(sample);
      this.#rate = Math.max(FIRST_BITRATE / 4, this.#carried * HELD_SHARE);
      this.#confirmAt = now + CONFIRM_MS + this.#shortest;
      this.#drainedBy = now + DRAIN_MS;
      this.#heldSince = this.#drainedBy;
      return undefined;
    }
    if (this.#heldSince !== undefined) return now - this.#heldSince >= HOLD_MS ? this.#found(sample) : undefined;
    if (now - this.#steppedAt < STEP_MS) return undefined;
    this.#steppedAt = now;
    if (this.#rate >= MOST_BITRATE) this.#heldSince = now;
    else this.#rate = Math.min(MOST_BITRATE, this.#rate * STEP);
    return undefined;
  }

  #found(sample: LinkSample): ProbedUpload {
    const carried = this.#carried;
    return { bitrate: Math.round(carried ?? this.#delivered(sample)), atLeast: carried === undefined };
  }

  #full(sample: LinkSample, rttMs: number): boolean {
    const first = this.#window[0] ?? sample;
    const sent = sample.packetsSent - first.packetsSent;
    const lossy = sent >= 50 && sample.packetsResent - first.packetsResent > sent * LOSS_SHARE;
    return rttMs - this.#shortest > QUEUE_MS || lossy || sample.packetsDropped > first.packetsDropped;
  }

  /** bits/s. */
  #delivered(sample: LinkSample): number {
    const first = this.#window[0] ?? sample;
    const elapsed = sample.now - first.now;
    return elapsed <= 0 ? 0 : ((sample.bytesDelivered - first.bytesDelivered) * 8000) / elapsed;
  }
}

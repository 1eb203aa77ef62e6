/** How fast a sender may send. */
export type Pacing =
  /** As fast as it is given; SRTO_MAXBW -1. */
  | { readonly kind: "unlimited" }
  /** At most this many bits a second on the wire, retransmissions included; SRTO_MAXBW > 0. */
  | { readonly kind: "limit"; readonly bitsPerSecond: number }
  /** The measured input rate and this much on top; SRTO_MAXBW 0 with SRTO_OHEADBW. */
  | { readonly kind: "input"; readonly overheadPercent: number };

/** What a pause may save up, µs of sending at the full rate. */
const BURST = 10_000;
/** What a timer that comes late may make good, µs: then there was something to send all the while. */
const LATE = 250_000;
/** And at least this much, bytes: a pair of full packets. */
const MIN_BURST = 3000;
/** How often the input rate is measured, µs. */
const INPUT_PERIOD = 500_000;
/** Least rate that an input measurement leads to, bytes/µs: 1 Mb/s, so that a stream can start up. */
const MIN_INPUT_RATE = 0.125;

/** A token bucket of bytes on the wire. */
export class Pacer {
  #overhead: number;
  /** Bytes/µs; infinite when nothing limits. */
  #rate: number;
  #tokens = MIN_BURST;
  #refilledAt = 0;
  /** Somebody waits for their turn. */
  #waiting = false;
  #inputBytes = 0;
  #inputSince = -1;

  constructor(pacing: Pacing) {
    this.#overhead = pacing.kind === "input" ? 1 + pacing.overheadPercent / 100 : 0;
    this.#rate = pacing.kind === "limit" ? pacing.bitsPerSecond / 8e6 : Number.POSITIVE_INFINITY;
  }

  /** Bits a second; infinite when nothing limits. */
  get bitsPerSecond(): number {
    return this.#rate * 8e6;
  }

  /** From now on at most so many bits a second, whatever was measured. */
  limit(bitsPerSecond: number): void {
    this.#overhead = 0;
    this.#rate = bitsPerSecond / 8e6;
  }

  /** The application handed in `bytes`. */
  input(bytes: number, now: number): void {
    if (this.#overhead === 0) return;
    if (this.#inputSince < 0) this.#inputSince = now;
    const elapsed = now - this.#inputSince;
    if (elapsed >= INPUT_PERIOD) {
      const measured = Math.max((this.#inputBytes / elapsed) * this.#overhead, MIN_INPUT_RATE);
      // A slow decay: a still picture must not leave the next scene's start without bandwidth.
      this.#rate =
        this.#rate === Number.POSITIVE_INFINITY || measured > this.#rate ? measured : (this.#rate * 7 + measured) / 8;
      this.#inputBytes = 0;
      this.#inputSince = now;
    }
    this.#inputBytes += bytes;
  }

  /** Takes `bytes` from the bucket. @returns 0 when they may go now, else the local µs at which to ask again. */
  take(bytes: number, now: number): number {
    if (this.#rate === Number.POSITIVE_INFINITY) return 0;
    const cap = Math.max(this.#rate * (this.#waiting ? LATE : BURST), MIN_BURST);
    const refilled = Math.min(cap, this.#tokens + (now - this.#refilledAt) * this.#rate);
    // What was made good already is not taken back.
    this.#tokens = Math.max(refilled, this.#tokens);
    this.#refilledAt = now;
    this.#waiting = this.#tokens < bytes;
    if (!this.#waiting) {
      this.#tokens -= bytes;
      return 0;
    }
    return now + (bytes - this.#tokens) / this.#rate;
  }
}

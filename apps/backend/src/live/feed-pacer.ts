import type { Clock } from "@klieg/base";
import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";
import { Lateness } from "./lateness.ts";

type Kind = "video" | "audio";
const KINDS = ["video", "audio"] as const;

export interface FeedPacerOptions {
  readonly clock: Clock;
  /** Where the stream's timeline is now, 90 kHz ticks; undefined before it has begun. */
  readonly position: () => number | undefined;
  readonly send: (kind: Kind, unit: AccessUnit) => void;
  /** How late units of either kind have come up to now, ms after their time. */
  readonly arrivals?: Readonly<Record<Kind, Lateness>>;
}

const TICKS_PER_MS = TICKS_PER_SECOND / 1000;
/** Nobody is kept waiting for longer than this: what comes later is sent when it comes, ms. */
const MAX_DELAY_MS = 500;
/** More units than these are not held, whatever the clock says. */
const MAX_HELD = 512;
const REVIEW_EVERY_MS = 100;
/** What a source, or an FFmpeg, brings when it begins says nothing of how late it will be, ms. */
const BEGINNING_MS = 700;
/** What FFmpeg and a packet of 20 ms are expected to take, until it is known, ms. */
const EXPECTED_MS = 40;

/**
 * Sends picture and sound of a feed side by side: each access unit so much after its time on the stream's timeline as
 * the latest of either kind usually needs. Sound takes the longer way, through FFmpeg, and some encoders put a third of a second
 * of it into one packet. Receivers would find the same delay, but only within a quarter of a minute, and with sound and
 * picture apart until then. A kind that comes alone is sent as it comes.
 */
export class FeedPacer implements Disposable {
  readonly #options: FeedPacerOptions;
  /** How much later than their time units came, ms; less than nothing where the encoder's clock runs fast. */
  readonly #lateness = { video: new Lateness(), audio: new Lateness() };
  readonly #ignoredUntil = { video: 0, audio: 0 };
  readonly #held: Record<Kind, AccessUnit[]> = { video: [], audio: [] };
  #delayMs: number | undefined;
  #reviewedAt = Number.NEGATIVE_INFINITY;
  #timer: Disposable | undefined;
  #disposed = false;

  constructor(options: FeedPacerOptions) {
    this.#options = options;
    for (const kind of KINDS) {
      this.begin(kind);
      const arrivals = options.arrivals?.[kind];
      if (arrivals !== undefined) this.#lateness[kind].begin(arrivals, EXPECTED_MS);
    }
    this.#review(options.clock.now());
  }

  /** How much later than their time units are sent now, ms; undefined: as they come. */
  get delayMs(): number | undefined {
    return this.#delayMs;
  }

  /** By how much what is sent is ahead of the stream's timeline at most, ms. */
  get aheadMs(): number {
    const least = this.#least;
    return least === Number.POSITIVE_INFINITY ? 0 : Math.max(0, -least);
  }

  /** What comes of this kind comes from a source, or an FFmpeg, that has just begun. */
  begin(kind: Kind): void {
    this.#ignoredUntil[kind] = this.#options.clock.now() + BEGINNING_MS;
  }

  push(kind: Kind, unit: AccessUnit): void {
    const position = this.#options.position();
    if (this.#disposed || position === undefined) return;
    const now = this.#options.clock.now();
    const late = (position - unit.pts) / TICKS_PER_MS;
    if (now >= this.#ignoredUntil[kind]) this.#lateness[kind].add(late, now);
    if (now - this.#reviewedAt >= REVIEW_EVERY_MS) this.#review(now);
    const held = this.#held[kind];
    if (held.length === 0 && late >= (this.#delayMs ?? Number.NEGATIVE_INFINITY)) {
      this.#options.send(kind, unit);
      return;
    }
    held.push(unit);
    if (held.length > MAX_HELD) this.#options.send(kind, held.shift() as AccessUnit);
    this.#arm();
  }

  /** Nothing that is held is sent any more. Idempotent. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#held.video = [];
    this.#held.audio = [];
  }

  #review(now: number): void {
    this.#reviewedAt = now;
    const { video, audio } = this.#lateness;
    video.turnTo(now);
    audio.turnTo(now);
    const [pictures, sound] = [video.greatest, audio.greatest];
    // One of them alone has nobody to wait for.
    this.#delayMs =
      pictures === undefined || sound === undefined
        ? undefined
        : Math.min(Math.max(pictures, sound), this.#least + MAX_DELAY_MS);
  }

  get #least(): number {
    const { video, audio } = this.#lateness;
    return Math.min(video.least ?? Number.POSITIVE_INFINITY, audio.least ?? Number.POSITIVE_INFINITY);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#disposed) return;
    const next = Math.min(...KINDS.map((kind) => this.#dueInMs(kind, 0)));
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#options.clock.after(next, () => {
      this.#timer = undefined;
      this.#release();
      this.#arm();
    });
  }

  #release(): void {
    for (const kind of KINDS) {
      const held = this.#held[kind];
      // What is due within a millisecond goes too: timers are no finer than that.
      let count = 0;
      while (this.#dueInMs(kind, count) < 1) count += 1;
      for (const unit of held.splice(0, count)) this.#options.send(kind, unit);
    }
  }

  /** `Infinity` where no such unit is held. */
  #dueInMs(kind: Kind, index: number): number {
    const unit = this.#held[kind][index];
    const position = this.#options.position();
    if (unit === undefined || position === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(0, (this.#delayMs ?? 0) - (position - unit.pts) / TICKS_PER_MS);
  }
}

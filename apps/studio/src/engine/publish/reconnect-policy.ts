import type { FailureKind } from "./publish-failure.ts";

/** ms; the last holds for all further attempts. */
const DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000] as const;
/** Each delay is this share longer or shorter, so that not all studios come back to a server in the same moment. */
const JITTER = 0.25;
/** A connection that has stood so long was a good one, ms. */
const PROVEN_MS = 10_000;
/** So many in a row without a word from the server count as a refusal, where it never worked. */
const UNCLEAR_IN_A_ROW = 5;
/** A server that has taken the stream before is asked again so often: it may be starting. */
const REFUSALS_AFTER_LIVE = 4;

/** When a destination that failed is tried again (STU3): for ever while it is the network, not at all once it is refused. */
export class ReconnectPolicy {
  readonly #random: () => number;
  #attempt = 0;
  #unclear = 0;
  #refused = 0;
  #wasLive = false;

  /** @param random as Math.random. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Attempts that failed since it was last live. */
  get attempt(): number {
    return this.#attempt;
  }

  /** It has been live for so long, and is no more. */
  wasLive(forMs: number): void {
    this.#wasLive = true;
    this.#unclear = 0;
    this.#refused = 0;
    if (forMs >= PROVEN_MS) this.#attempt = 0;
  }

  /** @returns ms to wait before the next attempt; undefined: it is given up. */
  failed(kind: FailureKind): number | undefined {
    if (kind === "final") return undefined;
    if (kind === "refused") {
      this.#refused += 1;
      if (!this.#wasLive || this.#refused > REFUSALS_AFTER_LIVE) return undefined;
    }
    if (kind === "unclear") {
      this.#unclear += 1;
      if (this.#unclear >= UNCLEAR_IN_A_ROW) return undefined;
    }
    const delay = DELAYS_MS[Math.min(this.#attempt, DELAYS_MS.length - 1)] as number;
    this.#attempt += 1;
    return Math.round(delay * (1 + JITTER * (2 * this.#random() - 1)));
  }

  /** The user wants it to be tried: what was before does not count. */
  reset(): void {
    this.#attempt = 0;
    this.#unclear = 0;
    this.#refused = 0;
  }
}

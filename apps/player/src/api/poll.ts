/** Which answer is awaited, and so how eagerly to ask. */
export interface PollContext {
  /** `soon`: an encoder is about to begin or to come back. `idle`: nobody knows when. `steady`: live, and nothing is due. */
  readonly expecting: "soon" | "idle" | "steady";
  /** Whether the page is out of sight. */
  readonly hidden: boolean;
  /** Failed requests in a row. */
  readonly failures: number;
}

/** Live, the playlist says most of it already. */
const EVERY_MS = { soon: 1500, idle: 3000, steady: 10_000 };
const HIDDEN_MS = 30_000;
const LONGEST_MS = 15_000;

/** Time until the next request, ms. @param random 0 to 1: spreads the viewers of one page view out over time. */
export function pollDelay(context: PollContext, random: number): number {
  const base = context.hidden ? HIDDEN_MS : EVERY_MS[context.expecting];
  const delay = Math.min(Math.max(LONGEST_MS, base), base * 2 ** Math.max(0, context.failures - 1));
  return Math.round(delay * (0.85 + 0.3 * random));
}

/** Calls `ask` again and again, at the pace of `pollDelay`, and at once when the page comes into sight. */
export class Poll {
  readonly #ask: (signal: AbortSignal) => Promise<PollContext>;
  readonly #visibility = new AbortController();
  #request: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #askedAgain = false;
  #closed = false;

  /** @param ask does one request, never throws, and says what to wait for next. */
  constructor(ask: (signal: AbortSignal) => Promise<PollContext>) {
    this.#ask = ask;
    globalThis.document?.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") this.now();
      },
      { signal: this.#visibility.signal },
    );
  }

  /** Asks at once; while a request is under way, once more after it. */
  now(): void {
    if (this.#closed) return;
    if (this.#request) {
      this.#askedAgain = true;
      return;
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#visibility.abort();
    this.#request?.abort();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #run(): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    const context = await this.#ask(request.signal);
    this.#request = null;
    if (this.#closed) return;
    const again = this.#askedAgain;
    this.#askedAgain = false;
    // Asked for during a request that may have been answered before the change: soon, but not in a tight loop.
    const delay = again ? 500 : pollDelay(context, Math.random());
    this.#timer = setTimeout(() => this.now(), delay);
  }
}

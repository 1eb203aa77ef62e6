/** Time as the domain sees it; tests pass one they can turn by hand. */
export interface Clock {
  /** Monotonic, ms, fractional. Only differences mean anything. */
  now(): number;
  /** Unix time, ms. */
  wall(): number;
  /** Calls `fn` once after `ms`; disposing the answer cancels it. */
  after(ms: number, fn: () => void): Disposable;
  /** Calls `fn` every `ms` until disposed. */
  every(ms: number, fn: () => void): Disposable;
}

/** The machine's clock. Its timers keep the process alive until disposed. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every(ms, fn) {
    const timer = setInterval(fn, ms);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};

/** A clock that moves only when told to; timers fire in order of their time. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #wallAtZero: number;
  readonly #timers = new Set<{ at: number; fn: () => void; period: number | undefined }>();

  /** @param wallAtZero Unix time, ms, at the clock's zero. */
  constructor(wallAtZero = Date.UTC(2026, 0, 1)) {
    this.#wallAtZero = wallAtZero;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallAtZero + this.#now;
  }

  after(ms: number, fn: () => void): Disposable {
    return this.#add(ms, fn, undefined);
  }

  every(ms: number, fn: () => void): Disposable {
    return this.#add(ms, fn, ms);
  }

  /** Moves time on by `ms`, firing what falls due on the way. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: { at: number; fn: () => void; period: number | undefined } | undefined;
      for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
      if (next === undefined) break;
      this.#now = next.at;
      if (next.period === undefined) this.#timers.delete(next);
      else next.at += next.period;
      next.fn();
    }
    this.#now = end;
  }

  /** Timers that have not fired yet: a leak check for tests. */
  get pending(): number {
    return this.#timers.size;
  }

  #add(ms: number, fn: () => void, period: number | undefined): Disposable {
    const timer = { at: this.#now + ms, fn, period };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }
}

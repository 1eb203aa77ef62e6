/** The one clock of a page's program: picture and sound both carry its time. */
export interface ProgramClock {
  /** Epoch ms, fractional, at which it began: `performance.timeOrigin + performance.now()` of then. The same in every worker. */
  readonly epoch: number;
  /** µs since then. */
  now(): number;
}

/** A clock that begins now, or at an `epoch` that another thread told, ms. */
export function programClock(epoch = performance.timeOrigin + performance.now()): ProgramClock {
  return { epoch, now: () => (performance.timeOrigin + performance.now() - epoch) * 1000 };
}

/** PTS, DTS and the base of the PCR are 33-bit counters of 90 kHz ticks: they wrap every 26.5 hours. */
export const TIMESTAMP_MODULUS = 2 ** 33;

const HALF = TIMESTAMP_MODULUS / 2;

/** `later - earlier` of two 33-bit counters, the short way round: −2^32 to 2^32 − 1. */
export function timestampDifference(later: number, earlier: number): number {
  const difference = (later - earlier) % TIMESTAMP_MODULUS;
  if (difference >= HALF) return difference - TIMESTAMP_MODULUS;
  if (difference < -HALF) return difference + TIMESTAMP_MODULUS;
  return difference;
}

/** `ticks` as the 33-bit counter that goes into a stream. Right for any safe integer. */
export function wrapTimestamp(ticks: number): number {
  const wrapped = ticks % TIMESTAMP_MODULUS;
  return wrapped < 0 ? wrapped + TIMESTAMP_MODULUS : wrapped;
}

/**
 * Turns the 33-bit counters of one program, all its tracks together, into numbers that go on past the wrap.
 * Each is taken to lie within 2^32 ticks (13 hours) of the one before it; jumps are passed on as they are.
 */
export class TimestampUnwrap {
  #last: number | undefined;

  /**
   * @param raw the 33-bit counter, 0 to 2^33 − 1.
   * @returns never negative: a stream that begins within a few frames after the wrap and then shows a timestamp
   *   from before it goes one epoch up, once, which readers see as a jump.
   */
  unwrap(raw: number): number {
    let ticks = this.#last === undefined ? raw : this.#last + timestampDifference(raw, this.#last);
    if (ticks < 0) ticks += TIMESTAMP_MODULUS;
    this.#last = ticks;
    return ticks;
  }

  /** The next timestamp stands for itself. */
  reset(): void {
    this.#last = undefined;
  }
}

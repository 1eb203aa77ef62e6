/** An FFmpeg that has worked for so long counts as one that works, ms. */
const PROVEN_MS = 10_000;
/** The first restart is at once; each further one in a row waits longer, ms. */
const DELAYS_MS = [0, 250, 1000, 2000, 5000, 10_000] as const;
/** After so many in a row something is wrong that restarting will not mend; it is still tried, now and then. */
const SLOW_RETRY_MS = 30_000;

/** When an FFmpeg that died is started anew (TRN6). */
export class RestartPolicy {
  #inARow = 0;

  /** Failures since one last worked. */
  get inARow(): number {
    return this.#inARow;
  }

  /** Whether it has failed too often to hope for the best. */
  get givenUp(): boolean {
    return this.#inARow > DELAYS_MS.length;
  }

  /**
   * A run has failed.
   * @param run how long it lived, ms, and whether anything came of it.
   * @returns ms to wait before the next.
   */
  failed(run: { readonly livedMs: number; readonly madeAnything: boolean }): number {
    this.#inARow = run.madeAnything && run.livedMs >= PROVEN_MS ? 1 : this.#inARow + 1;
    return DELAYS_MS[this.#inARow - 1] ?? SLOW_RETRY_MS;
  }
}

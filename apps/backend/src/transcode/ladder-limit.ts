/** However often it has failed, a rung is tried again after so many times the usual wait. */
const LONGEST_WAIT = 16;

/**
 * How much of a ladder has proved too much for the machine (TRN6): rungs are taken from its top, and tried again one by
 * one, later each time.
 */
export class LadderLimit {
  readonly #usualMs: number;
  readonly #missing = new Set<string>();
  #shed = 0;
  #waitMs: number;
  #reviewAt: number;

  /**
   * @param now ms of the clock that is used throughout.
   * @param reviewMs ms between one review and the next.
   */
  constructor(now: number, reviewMs: number) {
    this.#usualMs = reviewMs;
    this.#waitMs = reviewMs;
    this.#reviewAt = now + reviewMs;
  }

  /** How many of the highest rungs are not to be made. */
  get shed(): number {
    return this.#shed;
  }

  /** Takes away the rungs of these names, which are the highest that there are. */
  lower(now: number, names: readonly string[]): void {
    this.#shed += names.length;
    for (const name of names) this.#missing.add(name);
    this.#reviewAt = now + this.#waitMs;
  }

  /** Whether it is time to ask for more; if so, it is not for a while. */
  isDue(now: number): boolean {
    if (now < this.#reviewAt) return false;
    // Should it prove too much again, it is left alone for longer.
    this.#waitMs = this.#shed > 0 ? Math.min(this.#waitMs * 2, this.#usualMs * LONGEST_WAIT) : this.#usualMs;
    this.#reviewAt = now + this.#waitMs;
    return true;
  }

  /** Gives one rung back; false where none was taken. */
  raise(): boolean {
    if (this.#shed === 0) return false;
    this.#shed -= 1;
    return true;
  }

  /** Of what is made now, the names that had been taken away. Each is told once. */
  returned(made: readonly { readonly name: string }[]): string[] {
    return made.flatMap(({ name }) => (this.#missing.delete(name) ? [name] : []));
  }
}

/** Of so many pictures one is encoded, at most. */
const MOST = 4;
/** Pictures that the program may lose in a second for reasons of its own. */
const TOLERATED = 2;
/** So many seconds without a loss, and it is tried with more. */
const PATIENCE = 10;

/** How far single sources have to give way, by how the program does: looked at once a second. */
export class Relief {
  #every = 1;
  #lost: number | undefined;
  #calm = 0;

  /** Of so many pictures of a source one is encoded. */
  get every(): number {
    return this.#every;
  }

  /** @param lost pictures of the program that were left out since the start. @returns whether {@link every} changed. */
  look(lost: number): boolean {
    const more = lost > (this.#lost ?? lost) + TOLERATED;
    this.#lost = lost;
    this.#calm = more ? 0 : this.#calm + 1;
    const before = this.#every;
    if (more) this.#every = Math.min(MOST, this.#every * 2);
    else if (this.#calm >= PATIENCE && this.#every > 1) {
      this.#every /= 2;
      this.#calm = 0;
    }
    return this.#every !== before;
  }

  reset(): void {
    this.#every = 1;
    this.#lost = undefined;
    this.#calm = 0;
  }
}

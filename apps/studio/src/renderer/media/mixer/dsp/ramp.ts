/** A gain that goes to where it should be along a straight line, so that nothing clicks. */
export class Ramp {
  #value: number;
  #target: number;
  #step = 0;
  #left = 0;

  constructor(value: number) {
    this.#value = value;
    this.#target = value;
  }

  get value(): number {
    return this.#value;
  }

  /** @param samples how long it takes; at least one. */
  to(target: number, samples: number): void {
    if (target === this.#target) return;
    this.#target = target;
    this.#left = Math.max(1, samples);
    this.#step = (target - this.#value) / this.#left;
  }

  /** The gain of the next sample. */
  next(): number {
    if (this.#left > 0) {
      this.#left -= 1;
      this.#value = this.#left === 0 ? this.#target : this.#value + this.#step;
    }
    return this.#value;
  }
}

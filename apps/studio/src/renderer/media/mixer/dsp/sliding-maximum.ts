/** The highest of the last `length` values, in constant time for each (a monotonic queue in a ring). */
export class SlidingMaximum {
  readonly #length: number;
  readonly #values: Float64Array;
  readonly #indices: Float64Array;
  #first = 0;
  #count = 0;
  #index = 0;

  constructor(length: number) {
    this.#length = length;
    this.#values = new Float64Array(length);
    this.#indices = new Float64Array(length);
  }

  /** @returns the highest of this and the `length - 1` values before it. */
  push(value: number): number {
    const { length } = this.#values;
    if (this.#count > 0 && (this.#indices[this.#first] as number) <= this.#index - this.#length) {
      this.#first = (this.#first + 1) % length;
      this.#count -= 1;
    }
    while (this.#count > 0 && (this.#values[(this.#first + this.#count - 1) % length] as number) <= value) {
      this.#count -= 1;
    }
    const last = (this.#first + this.#count) % length;
    this.#values[last] = value;
    this.#indices[last] = this.#index;
    this.#count += 1;
    this.#index += 1;
    return this.#values[this.#first] as number;
  }
}

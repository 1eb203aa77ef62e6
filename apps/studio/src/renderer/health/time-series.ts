/** The last values of one figure, in a ring: nothing grows, whatever the length of the show. */
export class TimeSeries {
  readonly #at: Float64Array;
  readonly #values: Float64Array;
  #next = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#at = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** @param at ms, never less than the one before. @param value undefined where there is none: a gap. */
  push(at: number, value: number | undefined): void {
    this.#at[this.#next] = at;
    this.#values[this.#next] = value ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#at.length;
    this.#size = Math.min(this.#size + 1, this.#at.length);
  }

  /** undefined where nothing is there yet, or the last is a gap. */
  get latest(): number | undefined {
    const value = this.#size === 0 ? Number.NaN : this.#values.at(this.#next - 1);
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** Oldest first; `value` is NaN for a gap. */
  *[Symbol.iterator](): IterableIterator<{ at: number; value: number }> {
    const first = (this.#next - this.#size + this.#at.length) % this.#at.length;
    for (let i = 0; i < this.#size; i += 1) {
      const index = (first + i) % this.#at.length;
      yield { at: this.#at[index] ?? 0, value: this.#values[index] ?? Number.NaN };
    }
  }

  /** By how much a counter rose since `at`, ms: a counter that began anew counts from nothing. */
  risenSince(at: number): number {
    let risen = 0;
    let before: number | undefined;
    for (const { at: time, value } of this) {
      if (Number.isNaN(value)) continue;
      if (time >= at && before !== undefined) risen += value >= before ? value - before : value;
      before = value;
    }
    return risen;
  }

  /** Mean of what was there since `at`, ms; undefined where nothing was. */
  meanSince(at: number): number | undefined {
    let sum = 0;
    let values = 0;
    for (const { at: time, value } of this) {
      if (time < at || Number.isNaN(value)) continue;
      sum += value;
      values += 1;
    }
    return values === 0 ? undefined : sum / values;
  }

  /** How long, up to the last value, every value has passed `test`, ms; 0 where the last does not. */
  heldFor(test: (value: number) => boolean): number {
    let since: number | undefined;
    let last = 0;
    for (const { at, value } of this) {
      last = at;
      if (!Number.isNaN(value) && test(value)) since ??= at;
      else since = undefined;
    }
    return since === undefined ? 0 : last - since;
  }

  clear(): void {
    this.#next = 0;
    this.#size = 0;
  }
}

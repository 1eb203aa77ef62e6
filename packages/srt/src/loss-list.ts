/**
 * Sequence numbers that are missing (receiver) or asked for again (sender), kept as sorted ranges of
 * extended numbers. Bounded by its user: it never holds numbers outside a window of the ring's capacity.
 */
export class LossList {
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];
  #size = 0;

  /** How many sequence numbers are held. */
  get size(): number {
    return this.#size;
  }

  /** How many ranges they form. */
  get ranges(): number {
    return this.#firsts.length;
  }

  /** First number of range `index`. */
  firstOf(index: number): number {
    return this.#firsts[index] as number;
  }

  /** Last number of range `index`, inclusive. */
  lastOf(index: number): number {
    return this.#lasts[index] as number;
  }

  /** Appends a range that lies after everything held. */
  append(first: number, last: number): void {
    const end = this.#lasts.length - 1;
    if (end >= 0 && this.#lasts[end] === first - 1) this.#lasts[end] = last;
    else {
      this.#firsts.push(first);
      this.#lasts.push(last);
    }
    this.#size += last - first + 1;
  }

  /** Adds a range anywhere; what is held already stays. */
  add(first: number, last: number): void {
    const length = this.#firsts.length;
    if (length === 0 || first > (this.#lasts[length - 1] as number)) {
      this.append(first, last);
      return;
    }
    // Merge with every range that touches [first, last].
    const from = this.#search(first - 1);
    let to = from;
    while (to < length && (this.#firsts[to] as number) <= last + 1) to++;
    let mergedFirst = first;
    let mergedLast = last;
    let held = 0;
    for (let index = from; index < to; index++) {
      const rangeFirst = this.#firsts[index] as number;
      const rangeLast = this.#lasts[index] as number;
      if (rangeFirst < mergedFirst) mergedFirst = rangeFirst;
      if (rangeLast > mergedLast) mergedLast = rangeLast;
      held += rangeLast - rangeFirst + 1;
    }
    this.#firsts.splice(from, to - from, mergedFirst);
    this.#lasts.splice(from, to - from, mergedLast);
    this.#size += mergedLast - mergedFirst + 1 - held;
  }

  has(sequence: number): boolean {
    const index = this.#search(sequence);
    return index < this.#firsts.length && (this.#firsts[index] as number) <= sequence;
  }

  /** @returns whether it was held. */
  remove(sequence: number): boolean {
    const index = this.#search(sequence);
    if (index === this.#firsts.length) return false;
    const first = this.#firsts[index] as number;
    if (first > sequence) return false;
    const last = this.#lasts[index] as number;
    this.#size--;
    if (first === last) {
      this.#firsts.splice(index, 1);
      this.#lasts.splice(index, 1);
    } else if (sequence === first) this.#firsts[index] = first + 1;
    else if (sequence === last) this.#lasts[index] = last - 1;
    else {
      this.#firsts.splice(index + 1, 0, sequence + 1);
      this.#lasts.splice(index, 0, sequence - 1);
    }
    return true;
  }

  /** Forgets everything below `sequence`. @returns how many numbers that were. */
  removeBefore(sequence: number): number {
    const before = this.#size;
    let whole = 0;
    while (whole < this.#lasts.length && (this.#lasts[whole] as number) < sequence) {
      this.#size -= (this.#lasts[whole] as number) - (this.#firsts[whole] as number) + 1;
      whole++;
    }
    if (whole > 0) {
      this.#firsts.splice(0, whole);
      this.#lasts.splice(0, whole);
    }
    const first = this.#firsts[0];
    if (first !== undefined && first < sequence) {
      this.#size -= sequence - first;
      this.#firsts[0] = sequence;
    }
    return before - this.#size;
  }

  /** Takes the lowest number out; undefined when empty. */
  shift(): number | undefined {
    const first = this.#firsts[0];
    if (first === undefined) return undefined;
    this.#size--;
    if (first === this.#lasts[0]) {
      this.#firsts.shift();
      this.#lasts.shift();
    } else this.#firsts[0] = first + 1;
    return first;
  }

  clear(): void {
    this.#firsts.length = 0;
    this.#lasts.length = 0;
    this.#size = 0;
  }

  /** Index of the first range whose last number is not below `sequence`. */
  #search(sequence: number): number {
    let low = 0;
    let high = this.#lasts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lasts[middle] as number) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

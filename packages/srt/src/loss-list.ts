/**
 * Sequence numbers that are missing (receiver) or asked for again (sender), kept as sorted ranges of
 * extended numbers. Bounded by its user: it never holds numbers outside a window of the ring's capacity.
 * A range remembers when it is to be reported, which only a receiver uses; parts of a range inherit it.
 */
export class LossList {
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];
  /** Local µs at which the range is to be reported (again). */
  readonly #reportAt: number[] = [];
  /** How often it has been reported. */
  readonly #reports: number[] = [];
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

  /** Local µs at which range `index` is to be reported. */
  reportAtOf(index: number): number {
    return this.#reportAt[index] as number;
  }

  /** How often range `index` was reported. */
  reportsOf(index: number): number {
    return this.#reports[index] as number;
  }

  /** Range `index` is being reported; next at `reportAt`. */
  noteReport(index: number, reportAt: number): void {
    this.#reportAt[index] = reportAt;
    this.#reports[index] = (this.#reports[index] as number) + 1;
  }

  /** Appends a range that lies after everything held. */
  append(first: number, last: number, reportAt = 0, reports = 0): void {
    this.#firsts.push(first);
    this.#lasts.push(last);
    this.#reportAt.push(reportAt);
    this.#reports.push(reports);
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
    this.#reportAt.splice(from, to - from, 0);
    this.#reports.splice(from, to - from, 0);
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
    if (first === last) this.#delete(index, 1);
    else if (sequence === first) this.#firsts[index] = first + 1;
    else if (sequence === last) this.#lasts[index] = last - 1;
    else {
      this.#firsts.splice(index + 1, 0, sequence + 1);
      this.#lasts.splice(index, 0, sequence - 1);
      this.#reportAt.splice(index, 0, this.#reportAt[index] as number);
      this.#reports.splice(index, 0, this.#reports[index] as number);
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
    if (whole > 0) this.#delete(0, whole);
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
    if (first === this.#lasts[0]) this.#delete(0, 1);
    else this.#firsts[0] = first + 1;
    return first;
  }

  clear(): void {
    this.#delete(0, this.#firsts.length);
    this.#size = 0;
  }

  #delete(index: number, count: number): void {
    this.#firsts.splice(index, count);
    this.#lasts.splice(index, count);
    this.#reportAt.splice(index, count);
    this.#reports.splice(index, count);
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

import { addressBlock } from "@klieg/base";

/** Counts open connections, in all and per source. */
export class ConnectionCounter {
  readonly #max: number;
  readonly #maxPerSource: number;
  readonly #bySource = new Map<string, number>();
  #total = 0;

  constructor(max: number, maxPerSource: number) {
    this.#max = max;
    this.#maxPerSource = maxPerSource;
  }

  /** Connections that have entered and not left. */
  get total(): number {
    return this.#total;
  }

  /** Counts a connection in; answers with why it may not come in, or undefined when it may. */
  enter(address: string): string | undefined {
    if (this.#total >= this.#max) return `more than ${this.#max} connections`;
    const source = addressBlock(address);
    const open = this.#bySource.get(source) ?? 0;
    if (open >= this.#maxPerSource) return `more than ${this.#maxPerSource} connections from ${source}`;
    this.#bySource.set(source, open + 1);
    this.#total++;
    return undefined;
  }

  /** Counts a connection that had entered out. */
  leave(address: string): void {
    const source = addressBlock(address);
    const open = (this.#bySource.get(source) ?? 0) - 1;
    if (open > 0) this.#bySource.set(source, open);
    else this.#bySource.delete(source);
    this.#total--;
  }
}

import type { Clock } from "@klieg/base";

const WINDOW_MS = 1000;
const SLOTS = 10;

/** How much came in over the last second, in steps of a tenth. */
export class RateCount {
  readonly #clock: Clock;
  readonly #slots = new Float64Array(SLOTS);
  #slot: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#slot = this.#now();
  }

  get perSecond(): number {
    this.#forget();
    let sum = 0;
    for (const amount of this.#slots) sum += amount;
    return (sum * 1000) / WINDOW_MS;
  }

  add(amount: number): void {
    this.#forget();
    const at = this.#slot % SLOTS;
    this.#slots[at] = (this.#slots[at] as number) + amount;
  }

  #now(): number {
    return Math.floor((this.#clock.now() * SLOTS) / WINDOW_MS);
  }

  #forget(): void {
    const now = this.#now();
    const from = Math.max(this.#slot + 1, now - SLOTS + 1);
    for (let slot = from; slot <= now; slot += 1) this.#slots[slot % SLOTS] = 0;
    this.#slot = Math.max(this.#slot, now);
  }
}

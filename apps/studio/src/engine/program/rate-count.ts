import type { Clock } from "@klieg/base";

const SLOT_MS = 100;
/** A second of whole tenths, and the one that is not over. */
const WHOLE = 10;
const SLOTS = WHOLE + 1;

/** How much came in over the last second, up to the last whole tenth of it. */
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
    for (const [i, amount] of this.#slots.entries()) if (i !== this.#slot % SLOTS) sum += amount;
    return (sum * 1000) / (WHOLE * SLOT_MS);
  }

  add(amount: number): void {
    this.#forget();
    const at = this.#slot % SLOTS;
    this.#slots[at] = (this.#slots[at] as number) + amount;
  }

  #now(): number {
    return Math.floor(this.#clock.now() / SLOT_MS);
  }

  #forget(): void {
    const now = this.#now();
    const from = Math.max(this.#slot + 1, now - SLOTS + 1);
    for (let slot = from; slot <= now; slot += 1) this.#slots[slot % SLOTS] = 0;
    this.#slot = Math.max(this.#slot, now);
  }
}

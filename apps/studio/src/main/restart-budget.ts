import type { Clock } from "@klieg/base";

export interface RestartBudgetOptions {
  /** So many within {@link withinMs} are taken as bad luck; the next one is not. */
  readonly count: number;
  readonly withinMs: number;
}

/** How often something that died is started again without a question. */
export class RestartBudget {
  readonly #clock: Clock;
  readonly #options: RestartBudgetOptions;
  #deaths: number[] = [];

  constructor(clock: Clock, options: RestartBudgetOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** It died. @returns whether it is started again without a question. */
  take(): boolean {
    const now = this.#clock.now();
    this.#deaths = this.#deaths.filter((at) => now - at < this.#options.withinMs);
    this.#deaths.push(now);
    return this.#deaths.length <= this.#options.count;
  }

  /** Somebody answered the question: begin anew. */
  reset(): void {
    this.#deaths = [];
  }
}

import type { Clock } from "@klieg/base";
import type { Logger } from "../ports/logger.ts";
import type { Sfu } from "./sfu.ts";

export interface WorkerArrivalOptions {
  readonly sfu: Sfu;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the worker program is now; undefined while it is nowhere. */
  readonly find: () => string | undefined;
}

const EVERY_MS = 2000;

/**
 * Waits for the worker program: `npm start` may have to build it for some minutes, and everything but WebRTC works
 * meanwhile. Ends when the SFU is available.
 */
export class WorkerArrival implements Disposable {
  readonly #options: WorkerArrivalOptions;
  readonly #timer: Disposable | undefined;
  #asking = false;

  constructor(options: WorkerArrivalOptions) {
    this.#options = options;
    if (options.sfu.unavailable === undefined) return;
    this.#timer = options.clock.every(EVERY_MS, () => {
      this.#look().catch((error: unknown) => options.logger.error({ err: error }, "the media worker cannot be taken"));
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    const { sfu, find, logger } = this.#options;
    if (this.#asking) return;
    this.#asking = true;
    try {
      const program = find();
      if (program === undefined) return;
      const before = sfu.unavailable;
      await sfu.provide(program);
      if (sfu.unavailable === undefined) {
        this[Symbol.dispose]();
        logger.info({ program }, "WebRTC is there");
      } else if (sfu.unavailable !== before) {
        logger.warn({ reason: sfu.unavailable }, "there is no WebRTC yet");
      }
    } finally {
      this.#asking = false;
    }
  }
}

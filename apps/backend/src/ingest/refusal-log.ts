import { KliegError } from "@klieg/protocol";
import type { Logger } from "../ports/logger.ts";

/** One line for a publisher that was turned away: a fault of ours with its stack, anybody else's in words. */
export function logRefusal(logger: Logger, error: unknown): void {
  if (error instanceof KliegError && error.code !== "internal") {
    logger.info({ code: error.code, reason: error.message }, "publisher refused");
  } else {
    logger.error({ err: error }, "publisher refused by a fault");
  }
}

import { TICKS_PER_SECOND } from "@klieg/media";
import { KliegError } from "@klieg/protocol";

/** µs of the page's program clock as 90 kHz ticks. */
export function pageTicks(timestampUs: number): number {
  return Math.round((timestampUs * TICKS_PER_SECOND) / 1e6);
}

/** Answers what `read` makes of bytes that a page sent. @throws KliegError `media_malformed` where it throws. */
export function fromPage<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new KliegError("media_malformed", `${what} that the page sent cannot be read: ${words}.`, { cause: error });
  }
}

import type { Clock, CloseReason } from "@klieg/base";
import { KliegError } from "@klieg/protocol";

const REMEMBERED_MS = 300_000;
const MAX_REMEMBERED = 1000;

/** Why sessions ended, for a while: their peers may only ask when they find their connection gone. */
export class ClosedSessions {
  readonly #clock: Clock;
  readonly #ended = new Map<string, { readonly message: string; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(id: string, reason: CloseReason): void {
    const message =
      reason.error instanceof KliegError ? reason.error.message : `The session has ended: ${reason.message}.`;
    this.#ended.set(id, { message, at: this.#clock.now() });
    for (const [oldest, { at }] of this.#ended) {
      if (this.#ended.size <= MAX_REMEMBERED && this.#clock.now() - at < REMEMBERED_MS) break;
      this.#ended.delete(oldest);
    }
  }

  /** `gone` with the reason, or `not_found`. */
  errorOf(id: string): KliegError {
    const ended = this.#ended.get(id);
    if (ended === undefined || this.#clock.now() - ended.at >= REMEMBERED_MS) {
      return new KliegError("not_found", "There is no such session.");
    }
    return new KliegError("gone", ended.message);
  }
}

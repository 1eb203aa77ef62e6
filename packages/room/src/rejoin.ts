import { CLOSE } from "./room-wire.ts";

/** Why a participant is no longer in the room, for good. */
export type OutReason = "left" | "removed" | "ended" | "replaced" | "refused" | "protocol";

const FINAL: ReadonlyMap<number, OutReason> = new Map([
  [CLOSE.protocol, "protocol"],
  [CLOSE.refused, "refused"],
  [CLOSE.removed, "removed"],
  [CLOSE.replaced, "replaced"],
  [CLOSE.ended, "ended"],
]);

/** What a close code means for good; null where coming back is worth a try. */
export function finalReason(code: number): OutReason | null {
  return FINAL.get(code) ?? null;
}

const FIRST_MS = 300;
const LONGEST_MS = 15_000;
/** After the server asked for patience. */
const OVERLOADED_MS = 4000;

/**
 * Time until the next attempt to come back, ms.
 * @param attempt from 0. @param code of the close. @param random 0 to 1: those who lost the same server come back one by one.
 */
export function rejoinDelay(attempt: number, code: number, random: number): number {
  const first = code === CLOSE.overloaded ? OVERLOADED_MS : FIRST_MS;
  return Math.round(Math.min(LONGEST_MS, first * 2 ** attempt) * (0.75 + 0.5 * random));
}

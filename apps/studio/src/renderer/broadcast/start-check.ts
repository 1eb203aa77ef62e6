import type { Destination } from "../../document/destination.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import { worksInBrowser } from "../destinations/edit-destination.ts";
import { broadcastStrings as words } from "../strings/broadcast.ts";

/** When viewers see the show. */
export type StartKind = "preview" | "now" | "later";

/** How far ahead a start may be planned, ms. */
export const FURTHEST_START_MS = 14 * 24 * 3600_000;

/** Whether a destination is nothing without a key of its own. SRT to others may go without. */
export function needsKey(destination: Destination): boolean {
  return destination.kind !== "srt";
}

export interface StartCheck {
  /** Why it cannot begin, in words, or what stands in its way first; undefined where nothing does. */
  readonly obstacle: string | undefined;
  /** What would be better looked at before. */
  readonly warning: string | undefined;
}

/**
 * Whether a broadcast of this show can begin.
 * @param hasKey whether a destination has its key.
 * @param startAt epoch ms; undefined where no time is planned.
 * @param alone whether the page has no engine but its own.
 */
export function checkStart(
  document: StudioDocument,
  hasKey: (destination: string) => boolean,
  startAt: number | undefined,
  now: number,
  alone = false,
): StartCheck {
  const chosen = document.destinations.filter(({ enabled }) => enabled);
  const keyless = chosen.find((destination) => needsKey(destination) && !hasKey(destination.id));
  const scene = document.scenes.find(({ id }) => id === document.program);
  const warning = scene?.items.some(({ visible }) => visible) === true ? undefined : words.noPicture;
  let obstacle: string | undefined;
  const homeless = alone ? chosen.find((destination) => !worksInBrowser(destination)) : undefined;
  if (chosen.length === 0) obstacle = words.noneChosen;
  else if (homeless !== undefined) obstacle = words.needsApp(homeless.name);
  else if (keyless !== undefined) obstacle = words.keyMissing(keyless.name);
  else if (startAt !== undefined && !(startAt > now)) obstacle = words.startPast;
  else if (startAt !== undefined && startAt > now + FURTHEST_START_MS) obstacle = words.startTooFar;
  return { obstacle, warning };
}

/** What `datetime-local` fields write: local time, to the minute. @param at epoch ms. */
export function localTime(at: number): string {
  const shifted = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

/** @returns epoch ms; NaN where the field is not filled in. */
export function timeOfLocal(text: string): number {
  return text === "" ? Number.NaN : new Date(text).getTime();
}

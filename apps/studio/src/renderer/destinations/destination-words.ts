import type { Destination } from "../../document/destination.ts";
import { needsKey } from "../broadcast/start-check.ts";
import { CARRIER_NAMES, type Connection, carrierOf } from "../health/connection.ts";
import { destinationStrings as words } from "../strings/destinations.ts";
import { span } from "../strings/figures.ts";
import { worksInBrowser } from "./edit-destination.ts";

/** How a destination does, in a few words, and how they are meant. */
export interface DestinationWords {
  readonly text: string;
  readonly tone: "good" | "warn" | "bad" | "idle";
}

/** @param connection undefined off air. @param now epoch ms. @param alone whether the page has no engine but its own. */
export function destinationWords(
  destination: Destination,
  hasKey: boolean,
  connection: Connection | undefined,
  now: number,
  alone = false,
): DestinationWords {
  if (connection !== undefined) {
    const { state, problem, nextAttemptAt } = connection;
    const tone = state === "live" ? "good" : state === "failed" ? "bad" : state === "stopped" ? "idle" : "warn";
    const wait =
      (state === "reconnecting" || state === "connecting") && nextAttemptAt !== undefined && nextAttemptAt > now;
    const parts = [words.states[state], wait ? span(nextAttemptAt - now) : "", problem?.message ?? ""];
    return { text: parts.filter((part) => part !== "").join(" · "), tone };
  }
  if (alone && !worksInBrowser(destination))
    return { text: words.needsApp, tone: destination.enabled ? "warn" : "idle" };
  if (needsKey(destination) && !hasKey) return { text: words.keyMissing, tone: "warn" };
  return destination.enabled ? { text: words.ready, tone: "idle" } : { text: words.off, tone: "idle" };
}

/** "SRT to live.example.com". */
export function addressWords(destination: Destination): string {
  let host: string;
  try {
    host = new URL(destination.url).host;
  } catch {
    host = destination.url;
  }
  return `${CARRIER_NAMES[carrierOf(destination)]} · ${host}`;
}

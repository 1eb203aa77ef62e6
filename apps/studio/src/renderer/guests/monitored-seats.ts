import { audioOf } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import { stripSettings } from "../media/mixer/strip-settings.ts";

/**
 * Seats whose sound the mixer brings the operator, or keeps away because something else is solo: the others' is heard as the room sends
 * it, on stage or not.
 */
export function monitoredSeats(document: StudioDocument): ReadonlySet<number> {
  const anySolo = document.sources.some((source) => audioOf(source)?.solo === true);
  const settings = stripSettings(document);
  const seats = document.sources.flatMap((source) =>
    source.kind === "guest" && (anySolo || settings.get(source.id)?.inMonitor === true) ? [source.seat] : [],
  );
  return new Set(seats);
}

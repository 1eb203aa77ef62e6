import { KliegError } from "@klieg/protocol";
import { showStrings } from "../strings/show.ts";
import type { ShowStore } from "./show-store.ts";

/** Has the show saved now, and resolves once the engine has it as it is. @throws {KliegError} where it cannot be saved. */
export function savedShow(show: ShowStore): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    const { saved, saveProblem } = show.state.getState();
    if (saved === "saved") resolve();
    else if (saved === "failed") reject(new KliegError("storage_unavailable", saveProblem ?? showStrings.unreadable));
    else return false;
    return true;
  };
  show.saveNow();
  if (look()) return promise;
  const stop = show.state.subscribe(() => {
    // What was changed while it was being saved is sent at once, too.
    if (show.state.getState().saved === "unsaved") show.saveNow();
    if (look()) stop();
  });
  return promise;
}

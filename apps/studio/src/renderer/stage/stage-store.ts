import { createStore, type StoreApi } from "zustand/vanilla";
import type { RecordId } from "../../document/identity.ts";
import type { SourceChoice } from "../sources/source-choice.ts";

export type Zoom = "fit" | number;

/** What of the stage belongs to the window and not to the show. */
export interface StageState {
  /** The item of the scene that is worked on; undefined: none. */
  readonly selected: RecordId | undefined;
  /** Whether scenes are previewed before they go on air. */
  readonly studioMode: boolean;
  /** Screen pixels for each pixel of the picture; `fit`: as much as there is room for. */
  readonly zoom: Zoom;
  /** The dialog that is open. */
  readonly dialog: "add_source" | "help" | undefined;
  /** The kind that the dialog for a new source begins with; undefined: it asks. */
  readonly adding: SourceChoice | undefined;
  /** The item or scene whose name is being typed. */
  readonly renaming: RecordId | undefined;
}

export type StageStore = StoreApi<StageState>;

const STUDIO_MODE_KEY = "klieg.studio-mode";

/** @param storage remembers the mode from one start to the next; undefined where the browser has none. */
export function createStageStore(storage: Pick<Storage, "getItem" | "setItem"> | undefined): StageStore {
  const store = createStore<StageState>(() => ({
    selected: undefined,
    studioMode: storage?.getItem(STUDIO_MODE_KEY) === "on",
    zoom: "fit",
    dialog: undefined,
    adding: undefined,
    renaming: undefined,
  }));
  store.subscribe((state, before) => {
    if (state.studioMode !== before.studioMode) storage?.setItem(STUDIO_MODE_KEY, state.studioMode ? "on" : "off");
  });
  return store;
}

import { useStore } from "zustand";
import { type Stage, stageOf } from "../viewer/stage.ts";
import type { Viewer } from "../viewer/viewer.ts";

/** What the viewer is looking at; rendered again only when that changes. */
export function useStage(viewer: Viewer): Stage {
  const snapshot = useStore(viewer.watch.store);
  return useStore(viewer.session.store, (playback) => stageOf(snapshot, playback));
}

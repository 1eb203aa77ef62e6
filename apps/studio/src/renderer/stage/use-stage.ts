import { useStore } from "zustand";
import { useServices } from "../services.ts";
import type { StageState } from "./stage-store.ts";

/** A part of the stage's state; the component is rendered again when that part changes. */
export function useStage<Part>(part: (state: StageState) => Part): Part {
  return useStore(useServices().stage, part);
}

import { useStore } from "zustand";
import { useServices } from "../services.ts";
import type { EngineState } from "./engine-store.ts";

/** A part of what the engine told; the component is rendered again when that part changes. */
export function useEngine<Part>(part: (state: EngineState) => Part): Part {
  return useStore(useServices().engine.state, part);
}

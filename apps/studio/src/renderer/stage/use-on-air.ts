import { useEngine } from "../state/use-engine.ts";

/** Whether viewers see what is on the program: only then is anything red. A preview is its owner's alone. */
export function useOnAir(): boolean {
  return useEngine(({ broadcast }) => broadcast.live_at !== null);
}

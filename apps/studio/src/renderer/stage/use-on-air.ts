import { useEngine } from "../state/use-engine.ts";

/** Whether what is on the program is being sent: only then is anything red. */
export function useOnAir(): boolean {
  return useEngine(({ broadcast }) => broadcast.state !== "idle");
}

import { useCallback, useState } from "react";
import { controlStrings } from "../strings/control.ts";

/** Something that is asked for by a button: whether it is under way, and in words what went wrong. */
export interface Asked {
  readonly busy: boolean;
  readonly problem: string | undefined;
  /** @returns whether it went well. While one is under way nothing else is begun. */
  ask(what: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

export function useRequest(): Asked {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const ask = useCallback(async (what: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await what();
      return true;
    } catch (error) {
      setProblem(wordsOf(error));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setProblem(undefined), []);
  return { busy, problem, ask, clear };
}

/** What an error says to its user. */
export function wordsOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : controlStrings.failed;
}

import type { StudioAnswerOf } from "@klieg/protocol";
import { useCallback, useEffect, useRef, useState } from "react";
import { wordsOf } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";

/** What is in the recordings' folder. */
export interface Films {
  /** Undefined until it is known. */
  readonly listed: StudioAnswerOf<"list_recordings"> | undefined;
  /** Why it could not be looked at, in words. */
  readonly problem: string | undefined;
  readonly busy: boolean;
  look(): void;
}

/** Looks into the folder at once, and again whenever a recording ends or the engine is back. */
export function useFilms(): Films {
  const { engine } = useServices();
  const linked = useEngine((state) => state.linked);
  const runs = useEngine(({ recording: { state } }) => state === "recording" || state === "starting");
  const [listed, setListed] = useState<Films["listed"]>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const asked = useRef(0);
  const look = useCallback(() => {
    asked.current += 1;
    const number = asked.current;
    const ifNewest = (act: () => void) => {
      if (number === asked.current) act();
    };
    setBusy(true);
    engine.link
      .request("list_recordings", {})
      .then(
        (answer) =>
          ifNewest(() => {
            setListed(answer);
            setProblem(undefined);
          }),
        (error: unknown) => ifNewest(() => setProblem(wordsOf(error))),
      )
      .finally(() => ifNewest(() => setBusy(false)));
  }, [engine]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a recording that ends is one more film.
  useEffect(() => {
    if (linked) look();
  }, [linked, runs, look]);
  return { listed, problem, busy, look };
}

import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { RecordId } from "../../document/identity.ts";
import type { Capture } from "../media/capture/capture.ts";
import { useServices } from "../services.ts";

/** What there is of a source now, followed. */
export function useCapture(sourceId: RecordId): Capture | undefined {
  const { captures } = useServices().media;
  const subscribe = useCallback(
    (listener: () => void) => {
      const subscription = captures.onChanged((changed) => {
        if (changed === sourceId) listener();
      });
      return () => subscription[Symbol.dispose]();
    },
    [captures, sourceId],
  );
  return useSyncExternalStore(subscribe, () => captures.get(sourceId));
}

/** Pictures a second that each source has, as measured over the last second. */
export function useFrameRates(): ReadonlyMap<RecordId, number> {
  const { media } = useServices();
  const [rates, setRates] = useState<ReadonlyMap<RecordId, number>>(new Map());
  useEffect(() => {
    const subscription = media.onStatistics(({ sources }) => {
      setRates(new Map(sources.map(({ sourceId, frameRate }) => [sourceId, Math.round(frameRate)])));
    });
    return () => subscription[Symbol.dispose]();
  }, [media]);
  return rates;
}

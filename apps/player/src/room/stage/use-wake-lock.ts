import { useEffect } from "react";

/** Keeps the screen on while a room is shown: one looks at it without touching it. */
export function useWakeLock(): void {
  useEffect(() => {
    const gone = new AbortController();
    let held: WakeLockSentinel | null = null;
    const hold = async () => {
      if (!("wakeLock" in navigator) || document.visibilityState !== "visible") return;
      try {
        const lock = await navigator.wakeLock.request("screen");
        if (gone.signal.aborted) await lock.release();
        else held = lock;
      } catch (error) {
        // A battery that runs low, a policy: the screen then darkens as always.
        console.info("Klieg: the screen may go dark:", error);
      }
    };
    // The browser lets go whenever the page is out of sight.
    document.addEventListener("visibilitychange", () => void hold(), { signal: gone.signal });
    void hold();
    return () => {
      gone.abort();
      void held?.release();
    };
  }, []);
}

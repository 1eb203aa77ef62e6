import { useEffect, useState } from "react";

/** Epoch ms, new at the beginning of every second while `running`. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    let timer = 0;
    const plan = () => {
      timer = window.setTimeout(
        () => {
          setNow(Date.now());
          plan();
        },
        1000 - (Date.now() % 1000),
      );
    };
    plan();
    return () => clearTimeout(timer);
  }, [running]);
  return now;
}

import { useCallback, useEffect, useRef, useState } from "react";

const IDLE_MS = 2800;

export interface Attention {
  /** Whether the viewer is busy with the player, so that controls show. */
  readonly attentive: boolean;
  /** The viewer did something: show the controls for a while. */
  readonly notice: () => void;
  /** Hide them now. */
  readonly dismiss: () => void;
}

/** Shows the controls while the viewer moves, and hides them after a while of stillness. */
export function useAttention(): Attention {
  const [attentive, setAttentive] = useState(true);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const stop = useCallback(() => {
    if (timer.current) clearTimeout(timer.current);
    timer.current = null;
  }, []);
  const dismiss = useCallback(() => {
    stop();
    setAttentive(false);
  }, [stop]);
  const notice = useCallback(() => {
    stop();
    setAttentive(true);
    timer.current = setTimeout(() => setAttentive(false), IDLE_MS);
  }, [stop]);
  useEffect(() => {
    notice();
    return stop;
  }, [notice, stop]);
  return { attentive, notice, dismiss };
}

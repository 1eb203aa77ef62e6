import { useEffect } from "react";
import type { LiveSession } from "../playback/live-session.ts";
import type { Stage } from "../viewer/stage.ts";

/** Tells the system what plays, for its media keys, lock screen and picture-in-picture window. */
export function useMediaSession(session: LiveSession, stage: Stage, title: string, channel: string): void {
  useEffect(() => {
    const system = navigator.mediaSession;
    if (!system) return;
    system.metadata = new MediaMetadata({ title, artist: channel });
    system.setActionHandler("play", () => session.play());
    system.setActionHandler("pause", () => session.pause());
    return () => {
      system.metadata = null;
      system.setActionHandler("play", null);
      system.setActionHandler("pause", null);
    };
  }, [session, title, channel]);
  useEffect(() => {
    if (!navigator.mediaSession) return;
    const active = stage === "playing" || stage === "buffering" || stage === "interrupted";
    navigator.mediaSession.playbackState = active ? "playing" : stage === "paused" ? "paused" : "none";
  }, [stage]);
}

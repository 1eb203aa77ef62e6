import { useSyncExternalStore } from "react";

/** iPhones show only the video element itself full screen. */
interface PhoneVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
}

/** Whether anything here can fill the screen. */
export function canFillScreen(video: HTMLVideoElement): boolean {
  return document.fullscreenEnabled || typeof (video as PhoneVideo).webkitEnterFullscreen === "function";
}

/** Fills the screen with `player` and its controls, or with the bare video where the browser allows no more; or leaves. */
export async function toggleFullScreen(player: HTMLElement, video: HTMLVideoElement): Promise<void> {
  if (document.fullscreenElement) {
    await document.exitFullscreen();
    return;
  }
  if (document.fullscreenEnabled) {
    await player.requestFullscreen({ navigationUI: "hide" });
    return;
  }
  (video as PhoneVideo).webkitEnterFullscreen?.();
}

/** Whether something of this page fills the screen. */
export function useFullScreen(): boolean {
  return useSyncExternalStore(
    (changed) => {
      document.addEventListener("fullscreenchange", changed);
      return () => document.removeEventListener("fullscreenchange", changed);
    },
    () => document.fullscreenElement !== null,
  );
}

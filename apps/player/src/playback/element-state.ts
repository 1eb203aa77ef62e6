import type { PlaybackStore } from "./playback-state.ts";

/** Keeps what `video` says of its sound and of its picture-in-picture window in the store, whoever changed it. */
export function mirrorElement(video: HTMLVideoElement, store: PlaybackStore, signal: AbortSignal): void {
  const on = (type: keyof HTMLVideoElementEventMap, listener: () => void) =>
    video.addEventListener(type, listener, { signal });
  on("volumechange", () => {
    const { withheld } = store.getState();
    store.setState({
      volume: video.volume,
      muted: video.muted,
      withheld: withheld === "sound" && !video.muted ? null : withheld,
    });
  });
  on("enterpictureinpicture", () => store.setState({ pictureInPicture: true }));
  on("leavepictureinpicture", () => store.setState({ pictureInPicture: false }));
}

/** Puts the picture into a window of its own, or back. */
export async function togglePictureInPicture(video: HTMLVideoElement): Promise<void> {
  if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
  else if (document.pictureInPictureEnabled && video.videoWidth > 0) await video.requestPictureInPicture();
}

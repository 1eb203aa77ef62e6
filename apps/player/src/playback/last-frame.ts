/**
 * Keeps the picture that `video` shows in `canvas`, which lies beneath it, so that an engine can be replaced without the screen going
 * black. Does nothing when there is no picture.
 */
export function keepLastFrame(video: HTMLVideoElement, canvas: HTMLCanvasElement): void {
  if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
}

/** Forgets the kept picture. */
export function forgetLastFrame(canvas: HTMLCanvasElement): void {
  canvas.width = 0;
  canvas.height = 0;
}

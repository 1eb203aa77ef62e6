/** What came of asking an element to play. */
export type PlayOutcome =
  | "playing"
  /** The autoplay policy lets it play without sound only; the element is muted now. */
  | "playing-muted"
  /** Not even without sound: a gesture is needed. */
  | "denied"
  /** Something else was asked of the element meanwhile. */
  | "superseded";

/** Plays `video` with sound if the browser lets it, else without. Never rejects. */
export async function playWithin(video: HTMLVideoElement): Promise<PlayOutcome> {
  const first = await attempt(video);
  if (first !== "denied" || video.muted) return first;
  video.muted = true;
  const second = await attempt(video);
  return second === "playing" ? "playing-muted" : second;
}

async function attempt(video: HTMLVideoElement): Promise<PlayOutcome> {
  try {
    await video.play();
    return "playing";
  } catch (error) {
    // AbortError: a load or a pause came between; whoever did that knows what comes next.
    return error instanceof DOMException && error.name === "NotAllowedError" ? "denied" : "superseded";
  }
}

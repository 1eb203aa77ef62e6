/** The part of a media element that is looked at. */
export type Buffering = Pick<HTMLVideoElement, "buffered" | "currentTime">;

/** A hole this small, seconds, is played over. */
const HOLE = 0.1;

/** Seconds that can be played from the playhead without interruption. */
export function bufferedAhead({ buffered, currentTime }: Buffering): number {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + HOLE && buffered.end(index) > currentTime) {
      return buffered.end(index) - currentTime;
    }
  }
  return 0;
}

/** Seconds buffered after the playhead, holes or not: a hole is for the engine to jump, not a reason to wait for more. */
export function bufferedAfter({ buffered, currentTime }: Buffering): number {
  let sum = 0;
  for (let index = 0; index < buffered.length; index++) {
    sum += Math.max(0, buffered.end(index) - Math.max(currentTime, buffered.start(index)));
  }
  return sum;
}

/** Where media begins again after the hole that the playhead stands before; null when it stands in media, or none follows. */
export function afterHole(media: Buffering): number | null {
  if (bufferedAhead(media) > HOLE) return null;
  const { buffered, currentTime } = media;
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) > currentTime) return buffered.start(index);
  }
  return null;
}

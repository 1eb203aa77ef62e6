/** One rendition of the multivariant playlist, or one layer of a WebRTC broadcast, as the player offers it. */
export interface Rendition {
  /** The engine's own index; valid for the life of one engine only. */
  readonly index: number;
  /** Pixels; null for a rendition without video. */
  readonly width: number | null;
  readonly height: number | null;
  /** Peak, bits/s (`BANDWIDTH`). */
  readonly bitrate: number;
  /** Frames a second; null when the playlist does not say. */
  readonly frameRate: number | null;
  readonly codecs: string | null;
  /** Place among its siblings, where that is what they are known by, and not their size. */
  readonly rank?: LayerRank;
}

/** Of two or three: by name. Of more: 1 is the best. */
export type LayerRank = "high" | "medium" | "low" | number;

/** A quality the viewer chose; described by what they saw, so that it can be found again after a reconnect or tomorrow. */
export interface PinnedQuality {
  readonly height: number;
  readonly frameRate: number | null;
  readonly bitrate: number;
}

/** Best first: taller, then faster, then fatter. What is ranked stays as it is. */
export function byQuality(a: Rendition, b: Rendition): number {
  if (a.rank !== undefined && b.rank !== undefined) return 0;
  return (b.height ?? 0) - (a.height ?? 0) || (b.frameRate ?? 0) - (a.frameRate ?? 0) || b.bitrate - a.bitrate;
}

/** Name of a rendition among its siblings: `720p`, or `720p60` when the frame rate is high. */
export function renditionName(rendition: Pick<Rendition, "height" | "width" | "frameRate">): string {
  if (rendition.height === null) return "audio";
  // A phone's upright video is named by its short side, as everywhere else.
  const lines = rendition.width === null ? rendition.height : Math.min(rendition.height, rendition.width);
  const fast = rendition.frameRate !== null && rendition.frameRate > 40;
  return `${lines}p${fast ? Math.round(rendition.frameRate ?? 0) : ""}`;
}

/** What the menu pins when this rendition is chosen. */
export function pinOf(rendition: Rendition): PinnedQuality {
  return { height: rendition.height ?? 0, frameRate: rendition.frameRate, bitrate: rendition.bitrate };
}

/**
 * The rendition that a pin means in this ladder: the same height (then the nearest bit rate, since an encoder's peak drifts), or
 * else the tallest one below it, or else the lowest. Null in an empty ladder.
 */
export function findPinned(renditions: readonly Rendition[], pin: PinnedQuality): Rendition | null {
  const sorted = renditions.toSorted(byQuality);
  const same = sorted.filter((rendition) => (rendition.height ?? 0) === pin.height);
  if (same.length > 0) {
    return same.reduce((best, one) =>
      Math.abs(one.bitrate - pin.bitrate) < Math.abs(best.bitrate - pin.bitrate) ? one : best,
    );
  }
  return sorted.find((rendition) => (rendition.height ?? 0) < pin.height) ?? sorted.at(-1) ?? null;
}

/** Size of the picture on screen. CSS pixels, and device pixels per CSS pixel. */
export interface ViewBox {
  readonly width: number;
  readonly height: number;
  readonly pixelRatio: number;
}

/** The box of an element as it is laid out now. */
export function viewBoxOf({ clientWidth, clientHeight }: Pick<Element, "clientWidth" | "clientHeight">): ViewBox {
  return { width: clientWidth, height: clientHeight, pixelRatio: globalThis.devicePixelRatio || 1 };
}

/** Beyond this many device pixels per CSS pixel nobody sees a difference in moving pictures, but everybody pays for it. */
const MAX_PIXEL_RATIO = 2;
/** A rendition this close to the box counts as filling it: 720p in a box 760 pixels high is not worth 1080p's bits. */
const NEARLY = 0.9;

/**
 * The best rendition worth fetching for a picture of this size: the smallest that fills the box, or the largest there is. Null when
 * the box has no size yet or the ladder is empty.
 */
export function capForBox(renditions: readonly Rendition[], box: ViewBox): Rendition | null {
  if (box.width <= 0 || box.height <= 0) return null;
  const ratio = Math.min(MAX_PIXEL_RATIO, Math.max(1, box.pixelRatio));
  const ascending = renditions.toSorted((a, b) => byQuality(b, a));
  const filling = ascending.find(
    (rendition) =>
      // The picture is letterboxed, so it fills the box as soon as one side does.
      (rendition.width ?? 0) >= box.width * ratio * NEARLY || (rendition.height ?? 0) >= box.height * ratio * NEARLY,
  );
  if (!filling) return ascending.at(-1) ?? null;
  // Of several renditions equally tall, allow the best: the bandwidth decides between them.
  return ascending.findLast((rendition) => rendition.height === filling.height) ?? filling;
}

/** Share of the known bandwidth that a first choice may use; the first seconds also carry the playlists and the audio. */
const START_SHARE = 0.6;

/** Bits/s assumed when nothing is known: 720p at 3 Mb/s fits. */
export const FIRST_VISIT_BANDWIDTH = 6_000_000;

/**
 * The rendition to begin with. @param bandwidth bits/s as last measured, or null on a first visit, which begins in the middle of
 * the ladder rather than at the bottom. @param cap from `capForBox`.
 */
export function startingRendition(
  renditions: readonly Rendition[],
  bandwidth: number | null,
  cap: Rendition | null,
): Rendition | null {
  const ascending = renditions
    .filter((rendition) => cap === null || byQuality(rendition, cap) >= 0)
    .toSorted((a, b) => a.bitrate - b.bitrate);
  const budget = (bandwidth ?? FIRST_VISIT_BANDWIDTH) * START_SHARE;
  return ascending.findLast((rendition) => rendition.bitrate <= budget) ?? ascending[0] ?? null;
}

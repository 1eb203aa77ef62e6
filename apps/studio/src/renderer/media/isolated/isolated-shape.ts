/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** No encoder takes much more; pixels. */
const LARGEST: Size = { width: 3840, height: 2160 };
const SMALLEST_SIDE = 64;

/** bits for each pixel of each picture: good enough to be cut and encoded again. */
const BITS_PER_PIXEL = 0.12;
const LOWEST_BITRATE = 800_000;
const HIGHEST_BITRATE = 25_000_000;

/**
 * How large a source is recorded by itself, for as long as it is: as large as its first picture, in even numbers.
 * @param least the picture grows to fit into this; for what begins small and gets better, as guests do.
 */
export function isolatedSize(first: Size, least: Size | undefined): Size {
  const scaleTo = (into: Size) => Math.min(into.width / first.width, into.height / first.height);
  const grown = least === undefined ? 1 : Math.max(1, scaleTo(least));
  const scale = Math.min(grown, scaleTo(LARGEST));
  const even = (side: number) => Math.max(SMALLEST_SIDE, Math.round((side * scale) / 2) * 2);
  return { width: even(first.width), height: even(first.height) };
}

/** bits/s that a picture of that size is recorded with. */
export function isolatedBitrate({ width, height }: Size, frameRate: number): number {
  const wanted = Math.round(width * height * frameRate * BITS_PER_PIXEL);
  return Math.min(HIGHEST_BITRATE, Math.max(LOWEST_BITRATE, wanted));
}

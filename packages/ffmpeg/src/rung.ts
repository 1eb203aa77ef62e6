/** One transcoded video rendition of a ladder, fitted to its source. */
export interface Rung {
  /** By the short side, e.g. `480p`. */
  readonly name: string;
  /** Pixels, even. */
  readonly width: number;
  readonly height: number;
  /** Frames a second: the source's, divided by `frameRateDivisor`. */
  readonly frameRate: number;
  /** Every how manyeth frame of the source is kept, counted from each keyframe; 1 keeps all. */
  readonly frameRateDivisor: number;
  /** Highest average bit rate, bits/s. */
  readonly bitrate: number;
}

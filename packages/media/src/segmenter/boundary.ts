/** Where every rendition of a stream begins a new segment. */
export interface Boundary {
  /** Counts the boundaries of a stream from 0: the media sequence number, if that began at 0. */
  readonly index: number;
  /** Presentation time, 90 kHz ticks: that of the leader's keyframe. */
  readonly ticks: number;
  /** The timeline or the encoding changed: EXT-X-DISCONTINUITY in every rendition. */
  readonly discontinuity: boolean;
  /** How many boundaries up to this one are discontinuities: the segment's Discontinuity Sequence Number. */
  readonly discontinuitySequence: number;
  /** Duration of the leader's segment that ends here, 90 kHz ticks: that of a gap in its place. 0 for the first. */
  readonly previousDurationTicks: number;
}

import type { Track } from "../access-unit.ts";
import type { Boundary } from "./boundary.ts";
import type { Part } from "./part-builder.ts";

export interface SegmentStart {
  readonly boundary: Boundary;
  /** Presentation time of its first sample, 90 kHz ticks: what its EXT-X-PROGRAM-DATE-TIME is the date of. */
  readonly startTicks: number;
  /** Whether it begins with a keyframe. */
  readonly independent: boolean;
}

export interface SegmentEnd {
  readonly boundary: Boundary;
  /**
   * 90 kHz ticks: the sum of its parts' durations, and more where a picture outlasted the part target. Rounded to
   * seconds, at most the target duration.
   */
  readonly durationTicks: number;
  readonly byteLength: number;
}

/** A whole segment for which there was no media. */
export interface SegmentGap {
  readonly boundary: Boundary;
  /** That of the leader's segment, 90 kHz ticks. */
  readonly durationTicks: number;
}

/** What becomes of one track. Called synchronously, in the order ((init? start part+ end) | gap)*. */
export interface SegmenterSink {
  /** The media initialization section of the segments from the next start on. */
  onInit(init: { readonly bytes: Uint8Array; readonly track: Track }): void;
  onSegmentStart(start: SegmentStart): void;
  onPart(part: Part): void;
  onSegmentEnd(end: SegmentEnd): void;
  onGap(gap: SegmentGap): void;
  /** Leader: where it begins a segment; before that segment's start, after the end of the one before. */
  onBoundary?(boundary: Boundary): void;
  /** Follower: its configuration changed in mid-segment, and the next boundary should be a discontinuity. */
  onConfigurationChange?(track: Track): void;
}

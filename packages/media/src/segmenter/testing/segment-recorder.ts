import { expect } from "vitest";
import type { Track } from "../../access-unit.ts";
import { type FragmentSample, readFragments } from "../../fmp4/fragment.ts";
import { timescaleOf } from "../../fmp4/init-segment.ts";
import type { MovieTrack } from "../../fmp4/movie.ts";
import { LiveMediaPlaylist } from "../../hls/live-media-playlist.ts";
import { readMediaPlaylist } from "../../hls/testing/read-media-playlist.ts";
import type { Boundary } from "../boundary.ts";
import type { Part } from "../part-builder.ts";
import type { SegmentEnd, SegmenterSink, SegmentGap, SegmentStart } from "../segmenter-sink.ts";

export interface RecordedPart {
  readonly durationTicks: number;
  readonly mediaTicks: number;
  readonly startTicks: number;
  readonly independent: boolean;
  /** As the bytes say, in the track's timescale. */
  readonly baseDecodeTime: number;
  readonly samples: readonly FragmentSample[];
}

export interface RecordedSegment {
  readonly boundary: Boundary;
  /** Absent: a gap. */
  readonly start: SegmentStart | undefined;
  readonly track: Track | undefined;
  readonly parts: RecordedPart[];
  durationTicks: number;
}

/**
 * Keeps what a segmenter says, reads its bytes back, holds it to the order that the sink promises, and puts it into a
 * playlist, which throws on a part or segment that is too long.
 */
export class SegmentRecorder implements SegmenterSink {
  readonly segments: RecordedSegment[] = [];
  readonly boundaries: Boundary[] = [];
  readonly inits: Track[] = [];
  readonly configurationChanges: Track[] = [];
  readonly playlist: LiveMediaPlaylist;
  #open: RecordedSegment | undefined;
  #pendingInit: Track | undefined;
  #track: MovieTrack | undefined;
  #sequence = 0;

  constructor(targetDuration: number, partTarget: number) {
    this.playlist = new LiveMediaPlaylist({
      targetDuration,
      partTarget,
      windowTicks: Number.MAX_SAFE_INTEGER,
      segmentUri: (msn) => `${msn}.m4s`,
      partUri: (serial) => `part-${serial}.m4s`,
    });
  }

  onInit({ bytes, track }: { readonly bytes: Uint8Array; readonly track: Track }): void {
    expect(this.#open).toBeUndefined();
    expect(bytes.byteLength).toBeGreaterThan(400);
    this.inits.push(track);
    this.#pendingInit = track;
    const defaults = { duration: 0, size: 0, flags: 0 };
    this.#track = { trackId: 1, timescale: timescaleOf(track), sampleEntry: "test", track, defaults };
  }

  onSegmentStart(start: SegmentStart): void {
    expect(this.#open).toBeUndefined();
    this.#checkIndex(start.boundary);
    const map = this.#pendingInit === undefined ? {} : { mapUri: `init-${this.inits.length}.mp4` };
    this.#pendingInit = undefined;
    this.playlist.startSegment({
      programDateTimeMs: start.startTicks / 90,
      discontinuity: start.boundary.discontinuity,
      independent: start.independent,
      ...map,
    });
    this.#open = { boundary: start.boundary, start, track: this.#track?.track, parts: [], durationTicks: 0 };
    this.segments.push(this.#open);
  }

  onPart(part: Part): void {
    expect(this.#open).toBeDefined();
    this.playlist.appendPart(part);
    const bytes = Buffer.concat(part.buffers);
    expect(bytes.byteLength).toBe(part.byteLength);
    const [fragment, ...others] = readFragments(bytes, [this.#track as MovieTrack]);
    expect(others).toEqual([]);
    if (fragment === undefined) throw new Error("a part without a fragment");
    expect(fragment.samples).toHaveLength(part.sampleCount);
    expect(fragment.sequence).toBe(this.#sequence + 1);
    this.#sequence = fragment.sequence;
    expect(fragment.samples.some((sample) => sample.keyframe)).toBe(part.independent);
    const { durationTicks, mediaTicks, startTicks, independent } = part;
    const { baseDecodeTime, samples } = fragment;
    this.#open?.parts.push({ durationTicks, mediaTicks, startTicks, independent, baseDecodeTime, samples });
  }

  onSegmentEnd(end: SegmentEnd): void {
    const open = this.#open;
    if (open === undefined) throw new Error("the end of a segment that has not begun");
    this.#open = undefined;
    expect(end.boundary).toBe(open.boundary);
    expect(open.parts.length).toBeGreaterThan(0);
    const [parts, media] = [open.parts.map((part) => part.durationTicks), open.parts.map((part) => part.mediaTicks)];
    expect(end.durationTicks).toBeGreaterThanOrEqual(parts.reduce((sum, ticks) => sum + ticks, 0));
    expect(end.durationTicks).toBeLessThanOrEqual(media.reduce((sum, ticks) => sum + ticks, 0));
    open.durationTicks = end.durationTicks;
    this.playlist.sealSegment(end.durationTicks);
  }

  onGap(gap: SegmentGap): void {
    expect(this.#open).toBeUndefined();
    this.#checkIndex(gap.boundary);
    expect(gap.durationTicks).toBeGreaterThan(0);
    this.segments.push({
      boundary: gap.boundary,
      start: undefined,
      track: undefined,
      parts: [],
      durationTicks: gap.durationTicks,
    });
    // A playlist cannot begin with a gap: it has no map yet.
    if (this.inits.length === 0) return;
    this.playlist.appendGapSegment(
      { programDateTimeMs: gap.boundary.ticks / 90, discontinuity: gap.boundary.discontinuity },
      gap.durationTicks,
    );
  }

  onBoundary(boundary: Boundary): void {
    expect(this.#open).toBeUndefined();
    this.boundaries.push(boundary);
  }

  onConfigurationChange(track: Track): void {
    this.configurationChanges.push(track);
  }

  /** Segments with media. */
  get filled(): RecordedSegment[] {
    return this.segments.filter((segment) => segment.start !== undefined);
  }

  get samples(): FragmentSample[] {
    return this.segments.flatMap((segment) => segment.parts.flatMap((part) => part.samples));
  }

  /** What the playlist says now. */
  read() {
    return readMediaPlaylist(this.playlist.render().toString());
  }

  /** Segments are numbered without holes. */
  #checkIndex(boundary: Boundary): void {
    const last = this.segments.at(-1);
    if (last !== undefined) expect(boundary.index).toBe(last.boundary.index + 1);
  }
}

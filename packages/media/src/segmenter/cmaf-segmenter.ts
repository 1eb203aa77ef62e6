import { type AccessUnit, TICKS_PER_SECOND, type Track } from "../access-unit.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import { initSegment } from "../fmp4/init-segment.ts";
import { partTargetTicks } from "../hls/live-media-playlist.ts";
import { MediaError } from "../media-error.ts";
import type { Boundary } from "./boundary.ts";
import { PartBuilder } from "./part-builder.ts";
import { type PlacedSample, type SampleTimeline, sampleTimeline } from "./sample-timeline.ts";
import type { SegmenterSink } from "./segmenter-sink.ts";

export interface CmafSegmenterOptions {
  /** EXT-X-TARGETDURATION, seconds. */
  readonly targetDuration: number;
  /** PART-TARGET, seconds. */
  readonly partTarget: number;
  /** Seconds after which a keyframe begins a new segment; a twentieth less counts as that. Default 2. */
  readonly segmentTarget?: number;
  /** Whether it decides where segments begin. Default false. */
  readonly leads?: boolean;
  /** How far a follower may be behind before a segment is given up as a gap, ms of the leader's media. Default 4000. */
  readonly maxLagMs?: number;
  /** How far a follower may be ahead and wait for the leader's decision, ms of its own media. Default 3000. */
  readonly maxLeadMs?: number;
}

export interface SegmenterStats {
  /** Access units before the first keyframe, or before the one that a break or a new configuration made necessary. */
  readonly awaitingKeyframe: number;
  /** Access units from before the segment that is being made, or that could not go on in it. */
  readonly outsideSegment: number;
  /** Access units that do not say what they must. */
  readonly malformed: number;
  /** Segments that got no media. */
  readonly gaps: number;
}

interface OpenSegment {
  readonly boundary: Boundary;
  /** Whether `onSegmentStart` was called: there is media. */
  begun: boolean;
  /** Decode time of its first sample, 90 kHz ticks. */
  startDts: number;
  /** Sum of its parts' durations as the playlist says them. */
  durationTicks: number;
  /** Sum of what its samples last. */
  mediaTicks: number;
  byteLength: number;
}

const SEGMENT_TOLERANCE = 1 / 20;
/** Beyond the target duration before a segment is cut without a keyframe: keyframes "every 4 s" come at 4.004 s. */
const FORCED_CUT_SLACK_TICKS = TICKS_PER_SECOND / 10;
/** Frames that a follower's keyframe may come after the boundary before the segment begins without one. */
const LATE_KEYFRAME_FRAMES = 1.5;
const MAX_BOUNDARIES = 64;
const MAX_HELD_UNITS = 1024;

/**
 * Cuts one track into parts and segments (CMAF chunks and fragments).
 *
 * The *leader* (the source's video, or its sound when there is no video) begins a segment at the first keyframe after
 * `segmentTarget`; without one, it cuts at the target duration, and then again at the next keyframe. Each beginning is
 * a `Boundary`. *Followers* are given the boundaries and cut there: sound at the first frame that starts no earlier
 * than half a frame before, video at the keyframe there. So segments of one number cover the same time in every
 * rendition. A boundary is the *presentation* time of the leader's keyframe: decode times differ from rendition to
 * rendition by the reordering delay, presentation times do not. Samples keep their decode times (`tfdt`) and their
 * composition offsets, so presentation times are equal everywhere without edit lists.
 *
 * One access unit is held back, since only the next one tells how long it lasts. A picture that stands for longer than
 * the part target (a source that stalled, or has few frames) has a part of its own, whose sample lasts until the next
 * picture: a hole instead would have MediaSource drop everything up to the next keyframe. The playlist cannot say so: it
 * says the part target for the part. The segment's duration is the true one.
 *
 * A follower may be behind (a transcoder's latency): boundaries queue up, and a segment that has got nothing when the
 * leader is `maxLagMs` past its end is reported as a gap. It may be ahead: then its units wait for `advance`, at most
 * `maxLeadMs` of them. What cannot be used is dropped and counted in `stats`.
 */
export class CmafSegmenter {
  readonly #sink: SegmenterSink;
  readonly #segmentTargetTicks: number;
  readonly #forcedCutTicks: number;
  readonly #longestTicks: number;
  readonly #partTargetTicks: number;
  readonly #maxLagTicks: number;
  readonly #maxLeadTicks: number;
  #leads: boolean;
  /** Boundaries after that of the open segment. */
  readonly #boundaries: Boundary[] = [];
  /** A follower's units that wait for the leader. */
  readonly #held: AccessUnit[] = [];
  #horizon = Number.NEGATIVE_INFINITY;
  #track: Track | undefined;
  #timeline: SampleTimeline | undefined;
  #parts: PartBuilder | undefined;
  #pending: PlacedSample | undefined;
  #segment: OpenSegment | undefined;
  /** The boundary last made or taken. */
  #lastBoundary: Boundary | undefined;
  /** Latest presentation time in any part, 90 kHz ticks. */
  #lastTicks = Number.NEGATIVE_INFINITY;
  /** Of the segment that ended last, 90 kHz ticks. */
  #lastDurationTicks = 0;
  #needsInit = false;
  #needsKeyframe = true;
  /** Whether the last sample went into a part, so that a decoder can go on without a keyframe. */
  #continuous = false;
  /** What comes cannot go on in the open segment: wait for the next (or, as leader, begin it). */
  #needsBoundary = false;
  /** As leader: the next boundary is a discontinuity. */
  #broken = false;
  /** The open segment began without a keyframe, so the next keyframe begins another. */
  #forced = false;
  #awaitingKeyframe = 0;
  #outsideSegment = 0;
  #malformed = 0;
  #gaps = 0;

  constructor(options: CmafSegmenterOptions, sink: SegmenterSink) {
    const targetTicks = options.targetDuration * TICKS_PER_SECOND;
    this.#sink = sink;
    this.#leads = options.leads ?? false;
    this.#segmentTargetTicks = (options.segmentTarget ?? 2) * TICKS_PER_SECOND;
    this.#forcedCutTicks = targetTicks + FORCED_CUT_SLACK_TICKS;
    // EXTINF, rounded to whole seconds, must not exceed the target duration.
    this.#longestTicks = targetTicks + TICKS_PER_SECOND / 2 - 1;
    this.#partTargetTicks = partTargetTicks(options.partTarget);
    this.#maxLagTicks = ((options.maxLagMs ?? 4000) * TICKS_PER_SECOND) / 1000;
    this.#maxLeadTicks = ((options.maxLeadMs ?? 3000) * TICKS_PER_SECOND) / 1000;
  }

  get leads(): boolean {
    return this.#leads;
  }

  /** A new leader first works through the boundaries that it was given. */
  set leads(leads: boolean) {
    this.#leads = leads;
    if (leads) this.#release();
  }

  get stats(): SegmenterStats {
    return {
      awaitingKeyframe: this.#awaitingKeyframe,
      outsideSegment: this.#outsideSegment,
      malformed: this.#malformed,
      gaps: this.#gaps,
    };
  }

  /** Takes the track's next access unit, in decode order. */
  push(unit: AccessUnit): void {
    if (this.#leads && this.#held.length === 0) {
      this.#accept(unit);
      return;
    }
    this.#held.push(unit);
    this.#release();
  }

  /** Tells a follower how far the leader has come: no boundary that is still to come lies before `dts`. */
  advance(dts: number): void {
    if (dts <= this.#horizon) return;
    this.#horizon = dts;
    if (this.#held.length > 0) this.#release();
  }

  /** Tells a follower where the leader begins a segment. The first one that it is told is that of its first segment. */
  boundary(boundary: Boundary): void {
    this.#lastBoundary = boundary;
    if (this.#segment === undefined) this.#open(boundary);
    else this.#boundaries.push(boundary);
    this.#horizon = Math.max(this.#horizon, boundary.ticks);
    this.#catchUp();
    this.#release();
    for (;;) {
      const end = this.#boundaries[0];
      if (end === undefined) return;
      if (boundary.ticks - end.ticks < this.#maxLagTicks && this.#boundaries.length <= MAX_BOUNDARIES) return;
      this.#settle(undefined);
      this.#nextSegment();
    }
  }

  /** As leader: makes the next boundary a discontinuity, since a follower's encoding changed. */
  requestDiscontinuity(): void {
    this.#broken = true;
  }

  /**
   * Ends the open segment with what has come, the last unit lasting as long as is usual. If more is pushed, it begins
   * with a keyframe and, of a leader, a discontinuity.
   * @param gapTicks how long the leader's last segment is, for a follower that has nothing of it; 90 kHz ticks.
   * @returns the duration of the segment that it ended, or had ended last, 90 kHz ticks; 0 before the first.
   */
  flush(gapTicks = this.#partTargetTicks): number {
    for (let unit = this.#held.shift(); unit !== undefined; unit = this.#held.shift()) this.#accept(unit);
    this.#settle(undefined);
    while (this.#boundaries.length > 0) this.#nextSegment();
    this.#endSegment(gapTicks, this.#longestTicks);
    this.#segment = undefined;
    this.#broken = this.#lastBoundary !== undefined;
    this.#restart();
    return this.#lastDurationTicks;
  }

  /** Lets units through that need not wait any more. */
  #release(): void {
    for (let unit = this.#held[0]; unit !== undefined; unit = this.#held[0]) {
      const last = this.#held[this.#held.length - 1] as AccessUnit;
      const full = last.dts - unit.dts > this.#maxLeadTicks || this.#held.length > MAX_HELD_UNITS;
      if (!this.#leads && unit.pts > this.#horizon && !full) return;
      this.#held.shift();
      this.#accept(unit);
    }
  }

  #accept(unit: AccessUnit): void {
    let reconfigured = false;
    if (unit.track !== this.#track) reconfigured = this.#takeTrack(unit);
    if (unit.discontinuity === true && this.#segment !== undefined) {
      this.#settle(undefined);
      this.#timeline?.reset();
      this.#restart();
      this.#endContinuity(this.#segment);
    }
    if (this.#needsKeyframe && !isSync(unit)) {
      this.#awaitingKeyframe += 1;
      return;
    }
    const sample = this.#place(unit);
    if (sample === undefined) return;
    this.#needsKeyframe = false;
    this.#settle(sample);
    this.#pending = sample;
    this.#catchUp();
    if (this.#leads && this.#boundaries.length === 0) this.#lead(sample);
    if (reconfigured && this.#needsBoundary) this.#sink.onConfigurationChange?.(unit.track);
  }

  #place(unit: AccessUnit): PlacedSample | undefined {
    try {
      return (this.#timeline as SampleTimeline).place(unit);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#malformed += 1;
      return undefined;
    }
  }

  /** @returns whether the configuration changed under way. */
  #takeTrack(unit: AccessUnit): boolean {
    const { track } = unit;
    const before = this.#track;
    this.#track = track;
    if (before !== undefined && sameConfiguration(before, track)) return false;
    this.#settle(this.#successor(unit));
    this.#parts?.close();
    this.#timeline = sampleTimeline(track);
    this.#parts ??= new PartBuilder(this.#partTargetTicks, (part) => {
      const segment = this.#segment as OpenSegment;
      segment.durationTicks += part.durationTicks;
      segment.mediaTicks += part.mediaTicks;
      segment.byteLength += part.byteLength;
      this.#sink.onPart(part);
    });
    this.#needsInit = true;
    this.#restart();
    if (before === undefined || this.#segment === undefined) return false;
    this.#endContinuity(this.#segment);
    return true;
  }

  /**
   * The first picture of another configuration as what ends the one before it: that stands until then. A sender that
   * changes its size may take a moment to.
   */
  #successor(unit: AccessUnit): PlacedSample | undefined {
    const before = this.#pending?.unit;
    if (before?.track.kind !== "video" || !unit.keyframe || unit.track.kind !== "video") return undefined;
    if (unit.discontinuity === true || unit.dts <= before.dts) return undefined;
    if (unit.dts - before.dts > this.#segmentTargetTicks) return undefined;
    return { unit, start: unit.dts, length: 0, ticks: unit.pts };
  }

  /** What comes has nothing to do with what came: it cannot go on in `segment`, unless that itself is a new beginning. */
  #endContinuity(segment: OpenSegment): void {
    if (this.#leads) this.#broken = true;
    if (this.#leads || segment.begun || !segment.boundary.discontinuity) this.#needsBoundary = true;
  }

  #restart(): void {
    this.#needsKeyframe = true;
    this.#continuous = false;
  }

  /** As leader: begins a segment with `sample` where it is time. */
  #lead(sample: PlacedSample): void {
    const { unit } = sample;
    // What it goes on from may have been dropped while it did not lead.
    if (!this.#continuous && !isSync(unit)) return;
    const segment = this.#segment;
    if (segment === undefined || this.#needsBoundary) {
      this.#cut(sample);
      return;
    }
    const frame = this.#frameTicks(sample);
    const sinceBoundary = unit.dts - segment.boundary.ticks;
    if (!segment.begun) {
      // Leadership came in mid-segment; what is left of it is not worth beginning, unless it has hardly begun.
      if ((isSync(unit) && sinceBoundary >= this.#partTargetTicks) || this.#isOverdue(sample, segment))
        this.#cut(sample);
      return;
    }
    const elapsed = Math.max(unit.dts - segment.startDts, sinceBoundary);
    const tolerance = unit.track.kind === "audio" ? frame / 2 : this.#segmentTargetTicks * SEGMENT_TOLERANCE;
    const due = isSync(unit) && (this.#forced || elapsed >= this.#segmentTargetTicks - tolerance);
    if (due || elapsed + frame > this.#forcedCutTicks) this.#cut(sample);
  }

  #cut(sample: PlacedSample): void {
    const before = this.#segment;
    let cut = false;
    if (before !== undefined && !this.#needsBoundary && this.#isOverdue(sample, before)) {
      // There was nothing to cut at for so long that a follower's segment would pass the target duration. Nothing
      // from before this sample is published of a follower that waits for `advance`, so the cut can be made up for.
      for (let at = before.boundary.ticks; sample.ticks - at > this.#forcedCutTicks; cut = true) {
        at = Math.max(at + this.#forcedCutTicks, this.#lastTicks + 1);
        if (at >= sample.ticks) break;
        this.#announce(at);
      }
    }
    if (!cut) this.#announce(sample.ticks);
    this.#begin(sample);
  }

  #isOverdue(sample: PlacedSample, segment: OpenSegment): boolean {
    return sample.ticks - segment.boundary.ticks > this.#longestTicks - FORCED_CUT_SLACK_TICKS;
  }

  /** As leader: ends the open segment, and opens one at `ticks`. */
  #announce(ticks: number): void {
    const last = this.#lastBoundary;
    const sinceBoundary = this.#segment === undefined ? 0 : ticks - this.#segment.boundary.ticks;
    const previousDurationTicks = this.#endSegment(sinceBoundary, sinceBoundary);
    const boundary: Boundary = {
      index: last === undefined ? 0 : last.index + 1,
      ticks,
      discontinuity: this.#broken,
      discontinuitySequence: (last?.discontinuitySequence ?? 0) + (this.#broken ? 1 : 0),
      previousDurationTicks,
    };
    this.#lastBoundary = boundary;
    this.#open(boundary);
    this.#broken = false;
    this.#sink.onBoundary?.(boundary);
  }

  /** As follower: begins the segments that the pending sample has reached. */
  #catchUp(): void {
    const sample = this.#pending;
    if (sample === undefined) return;
    for (let next = this.#boundaries[0]; next !== undefined; next = this.#boundaries[0]) {
      // It began the open segment, as leader: it stays there.
      if (this.#segment?.begun === true && this.#segment.durationTicks + (this.#parts?.gatheredTicks ?? 0) === 0)
        return;
      const { unit, ticks } = sample;
      const frame = this.#frameTicks(sample);
      if (ticks < next.ticks - frame / 2) return;
      // The encoder may have put the keyframe a little later; then it is worth waiting for.
      if (!isSync(unit) && ticks < next.ticks + frame * LATE_KEYFRAME_FRAMES) return;
      this.#nextSegment();
    }
  }

  /** Gives the pending sample its duration, and puts it into the open segment if it can go there. */
  #settle(next: PlacedSample | undefined): void {
    const sample = this.#pending;
    if (sample === undefined) return;
    this.#pending = undefined;
    const { unit } = sample;
    const segment = this.#segment;
    const timeline = this.#timeline as SampleTimeline;
    const parts = this.#parts as PartBuilder;
    const duration = timeline.durationOf(sample, next);
    let usable = segment !== undefined && !this.#needsBoundary && (this.#continuous || isSync(unit));
    if (usable && segment !== undefined) {
      const room = this.#longestTicks - segment.durationTicks - parts.gatheredTicks;
      if (this.#frameTicks(sample) > room) usable = false;
      if (!segment.begun && sample.ticks < segment.boundary.ticks - this.#frameTicks(sample) / 2) usable = false;
    }
    if (!usable || segment === undefined) {
      this.#outsideSegment += 1;
      this.#continuous = false;
      return;
    }
    if (!segment.begun) this.#begin(sample);
    this.#continuous = true;
    this.#lastTicks = Math.max(this.#lastTicks, sample.ticks);
    parts.add(sample, duration, timeline);
  }

  #begin(sample: PlacedSample): void {
    const segment = this.#segment as OpenSegment;
    const { unit } = sample;
    if (this.#needsInit) {
      this.#needsInit = false;
      this.#sink.onInit({ bytes: initSegment(unit.track), track: unit.track });
    }
    segment.begun = true;
    segment.startDts = unit.dts;
    this.#forced = !isSync(unit);
    this.#sink.onSegmentStart({
      boundary: segment.boundary,
      startTicks: sample.ticks,
      independent: isSync(unit),
    });
  }

  #nextSegment(): void {
    const next = this.#boundaries.shift() as Boundary;
    this.#endSegment(next.previousDurationTicks, next.ticks - (this.#segment?.boundary.ticks ?? 0));
    this.#open(next);
  }

  #open(boundary: Boundary): void {
    this.#segment = openSegment(boundary);
    this.#needsBoundary = false;
  }

  /**
   * @param gapTicks how long the segment is if it got no media.
   * @param spanTicks from its boundary to the next: a picture that stands into the next segment does not count there.
   * @returns its duration, 90 kHz ticks.
   */
  #endSegment(gapTicks: number, spanTicks: number): number {
    const segment = this.#segment;
    if (segment === undefined) return 0;
    this.#parts?.close();
    const { boundary, byteLength } = segment;
    if (segment.begun) {
      const outlasting = Math.min(segment.mediaTicks, spanTicks, this.#longestTicks);
      const durationTicks = Math.max(segment.durationTicks, outlasting);
      this.#lastDurationTicks = durationTicks;
      this.#sink.onSegmentEnd({ boundary, durationTicks, byteLength });
      return durationTicks;
    }
    // However short it was for the leader: a number that is left out would shift all that come after it.
    const durationTicks = Math.min(Math.max(gapTicks, this.#partTargetTicks), this.#longestTicks);
    this.#lastDurationTicks = durationTicks;
    this.#gaps += 1;
    this.#sink.onGap({ boundary, durationTicks });
    return durationTicks;
  }

  /** How long a sample usually lasts, 90 kHz ticks; at most the part target. */
  #frameTicks(sample: PlacedSample): number {
    return Math.min((this.#timeline as SampleTimeline).toTicks(sample.length), this.#partTargetTicks);
  }
}

function openSegment(boundary: Boundary): OpenSegment {
  return { boundary, begun: false, startDts: 0, durationTicks: 0, mediaTicks: 0, byteLength: 0 };
}

function isSync(unit: AccessUnit): boolean {
  return unit.track.kind === "audio" || unit.keyframe;
}

/** Whether samples of `b` can follow samples of `a` under one init segment. */
function sameConfiguration(a: Track, b: Track): boolean {
  if (a.codec !== b.codec || !equalBytes(a.config, b.config)) return false;
  if (a.kind === "video") return b.kind === "video" && a.width === b.width && a.height === b.height;
  return b.kind === "audio" && a.sampleRate === b.sampleRate && a.channels === b.channels;
}

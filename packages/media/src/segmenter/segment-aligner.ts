import { type AccessUnit, TICKS_PER_SECOND } from "../access-unit.ts";
import type { Boundary } from "./boundary.ts";
import { CmafSegmenter, type CmafSegmenterOptions } from "./cmaf-segmenter.ts";
import type { SegmenterSink } from "./segmenter-sink.ts";

export interface SegmentAlignerOptions {
  /** How much of another track may come while the leader is silent before that track leads, ms of media. Default 2500. */
  readonly takeoverMs?: number;
}

export interface JoinOptions extends Omit<CmafSegmenterOptions, "leads"> {
  /**
   * Whether it may decide where segments begin: the source's own tracks. Video is preferred, then what joined first;
   * until the first access unit shows which is which, the first to join leads.
   */
  readonly mayLead: boolean;
}

interface Member {
  readonly segmenter: CmafSegmenter;
  readonly mayLead: boolean;
  /** Known once a unit came. */
  kind: "video" | "audio" | undefined;
  /** Decode time of its first unit since the leader's last, ticks. */
  aheadSince: number | undefined;
}

/**
 * Keeps the segmenters of one stream in step: hands the leader's boundaries and progress to the others, and leadership
 * to another track when the leader falls silent (an encoder that lost its camera goes on with sound), and back at the
 * preferred track's next keyframe.
 */
export class SegmentAligner {
  readonly #takeoverTicks: number;
  readonly #members: Member[] = [];
  #leader: Member | undefined;
  #boundary: Boundary | undefined;

  constructor(options: SegmentAlignerOptions = {}) {
    this.#takeoverTicks = ((options.takeoverMs ?? 2500) * TICKS_PER_SECOND) / 1000;
  }

  /** The boundary of the segment that the leader is making; what joins now begins there. */
  get currentBoundary(): Boundary | undefined {
    return this.#boundary;
  }

  /** Adds a track. Its first segment is the one that the leader is making. */
  join(options: JoinOptions, sink: SegmenterSink): CmafSegmenter {
    const segmenter = new CmafSegmenter(
      { ...options, leads: false },
      {
        onInit: (init) => sink.onInit(init),
        onSegmentStart: (start) => sink.onSegmentStart(start),
        onPart: (part) => sink.onPart(part),
        onSegmentEnd: (end) => sink.onSegmentEnd(end),
        onGap: (gap) => sink.onGap(gap),
        onBoundary: (boundary) => {
          this.#boundary = boundary;
          sink.onBoundary?.(boundary);
          for (const other of this.#members) if (other !== member) other.segmenter.boundary(boundary);
        },
        onConfigurationChange: (track) => {
          sink.onConfigurationChange?.(track);
          if (this.#leader !== member) this.#leader?.segmenter.requestDiscontinuity();
        },
      },
    );
    const member: Member = { segmenter, mayLead: options.mayLead, kind: undefined, aheadSince: undefined };
    this.#members.push(member);
    if (this.#boundary !== undefined) segmenter.boundary(this.#boundary);
    if (this.#leader === undefined && member.mayLead) this.#lead(member);
    return segmenter;
  }

  /** Takes a track out; it is not flushed. */
  leave(segmenter: CmafSegmenter): void {
    const index = this.#members.findIndex((member) => member.segmenter === segmenter);
    if (index < 0) return;
    const [member] = this.#members.splice(index, 1);
    if (this.#leader !== member) return;
    this.#leader = undefined;
    const next = this.#members.find((other) => other.mayLead);
    if (next !== undefined) this.#lead(next);
  }

  /** Takes the next access unit of the track that `segmenter` cuts. */
  push(segmenter: CmafSegmenter, unit: AccessUnit): void {
    const member = this.#members.find((candidate) => candidate.segmenter === segmenter);
    if (member === undefined) return;
    member.kind = unit.track.kind;
    if (member !== this.#leader && member.mayLead && this.#takesOver(member, unit)) this.#lead(member);
    segmenter.push(unit);
    if (member !== this.#leader) return;
    for (const other of this.#members) {
      if (other === member) continue;
      other.aheadSince = undefined;
      other.segmenter.advance(unit.dts);
    }
  }

  /** Ends every open segment, the leader's first. What is pushed afterwards begins with a discontinuity. */
  flush(): void {
    const durationTicks = this.#leader?.segmenter.flush();
    for (const member of this.#members) {
      member.aheadSince = undefined;
      if (member !== this.#leader) member.segmenter.flush(durationTicks);
    }
  }

  #takesOver(member: Member, unit: AccessUnit): boolean {
    const leader = this.#leader;
    if (leader === undefined) return true;
    if (member.aheadSince === undefined || unit.discontinuity === true) member.aheadSince = unit.dts;
    if (unit.dts - member.aheadSince >= this.#takeoverTicks) return true;
    if (member.kind === "video") return unit.keyframe && (leader.kind !== "video" || this.#isBefore(member, leader));
    return leader.kind === "audio" && this.#isBefore(member, leader);
  }

  #isBefore(member: Member, other: Member): boolean {
    return this.#members.indexOf(member) < this.#members.indexOf(other);
  }

  #lead(member: Member): void {
    if (this.#leader !== undefined) this.#leader.segmenter.leads = false;
    this.#leader = member;
    member.aheadSince = undefined;
    member.segmenter.leads = true;
  }
}

import { TICKS_PER_SECOND } from "../access-unit.ts";
import type {
  LiveMediaPlaylistOptions,
  PartAppend,
  PartPosition,
  PlaylistSegmentStart,
} from "./live-media-playlist-options.ts";
import { PlaylistBody } from "./playlist-body.ts";
import { PlaylistError } from "./playlist-error.ts";
import { formatSeconds, formatUnits, quoted, ticksToUnits, uriLine } from "./playlist-text.ts";
import type { ReloadDecision } from "./reload-decision.ts";

interface Segment {
  readonly msn: number;
  readonly firstPartSerial: number;
  readonly gap: boolean;
  readonly discontinuity: boolean;
  /** In force for this segment. */
  readonly mapUri: string;
  /** Whether its own lines begin with that EXT-X-MAP. */
  readonly printsMap: boolean;
  /** Media before it since the playlist began, 90 kHz ticks. */
  readonly startTicks: number;
  endTicks: number;
  readonly head: string;
  /** EXT-X-PART lines. */
  parts: string;
  partCount: number;
  tail: string;
  /** Absolute position of its lines in the body once they are there. */
  position: number;
}

/**
 * One rendition's live Media Playlist as RFC 8216bis wants it; the rules it keeps are numbered in SPEC.md.
 * Lines are made once. A render joins the bytes of the segments behind the live edge with the lines of the edge, at
 * most once a version; callers share the buffer and must not change it.
 */
export class LiveMediaPlaylist {
  readonly #options: LiveMediaPlaylistOptions;
  readonly #canSkip: boolean;
  readonly #headerLines: string;
  readonly #targetDurationTicks: number;
  readonly #partTargetTicks: number;
  readonly #skipBoundaryTicks: number;
  readonly #maxSegmentsWithParts: number;
  readonly #body = new PlaylistBody();
  /** Sealed segments in the window. */
  readonly #segments: Segment[] = [];
  /** Index in `#segments` of the first that is not in the body yet. */
  #edge = 0;
  #open: Segment | undefined;
  #mapUri: string | undefined;
  #discontinuitySequence: number;
  #nextMsn: number;
  #nextPartSerial: number;
  #totalTicks = 0;
  /** Segments up to this Media Sequence Number are to go as soon as they may. */
  #lostThrough = -1;
  /** Segments up to this Media Sequence Number are to go whatever is left. */
  #droppedThrough = -1;
  #independentSegments: boolean;
  #ended = false;
  #version = 0;
  #full: Rendered | undefined;
  #delta: Rendered | undefined;

  /** @throws PlaylistError `bad_option` */
  constructor(options: LiveMediaPlaylistOptions) {
    const { targetDuration, partTarget } = options;
    const partHoldBack = options.partHoldBack ?? partTarget * 3;
    const skipBoundary = options.skipBoundary ?? targetDuration * 6;
    demand(Number.isInteger(targetDuration) && targetDuration > 0, "targetDuration: whole seconds, at least one");
    demand(
      partTarget > 0 &&
        partTarget <= targetDuration &&
        Math.abs(partTarget * 1e5 - Math.round(partTarget * 1e5)) < 1e-6,
      "partTarget: seconds with at most five decimals, at most the target duration",
    );
    demand(partHoldBack >= partTarget * 3 - 1e-9, "partHoldBack: at least three part targets");
    demand(skipBoundary >= targetDuration * 6, "skipBoundary: at least six target durations");
    demand(
      options.holdBack === undefined || options.holdBack >= targetDuration * 3,
      "holdBack: at least three target durations",
    );
    demand(options.windowTicks > 0, "windowTicks: positive");
    this.#options = options;
    this.#canSkip = options.canSkip ?? true;
    this.#targetDurationTicks = targetDuration * TICKS_PER_SECOND;
    this.#partTargetTicks = partTargetTicks(partTarget);
    this.#skipBoundaryTicks = skipBoundary * TICKS_PER_SECOND;
    this.#maxSegmentsWithParts = options.maxSegmentsWithParts ?? 3;
    this.#independentSegments = options.independentSegments ?? false;
    this.#nextMsn = options.firstMediaSequence ?? 0;
    this.#nextPartSerial = options.firstPartSerial ?? 0;
    this.#discontinuitySequence = options.firstDiscontinuitySequence ?? 0;
    let control = `CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${formatSeconds(partHoldBack)}`;
    if (this.#canSkip) control += `,CAN-SKIP-UNTIL=${formatSeconds(skipBoundary)}`;
    if (options.holdBack !== undefined) control += `,HOLD-BACK=${formatSeconds(options.holdBack)}`;
    this.#headerLines =
      `#EXTM3U\n#EXT-X-VERSION:${this.#canSkip ? 9 : 8}\n#EXT-X-TARGETDURATION:${targetDuration}\n` +
      `#EXT-X-SERVER-CONTROL:${control}\n#EXT-X-PART-INF:PART-TARGET=${formatSeconds(partTarget)}\n`;
  }

  /** Rises by one with every change that a reader can see. */
  get version(): number {
    return this.#version;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Media Sequence Number of the segment that the last part belongs to; one less than the first while there is none. */
  get lastMsn(): number {
    return this.#open !== undefined && this.#open.partCount > 0 ? this.#open.msn : this.#lastSealedMsn;
  }

  /** Part index of the last part of `lastMsn`; undefined while there is none. */
  get lastPart(): number | undefined {
    const segment =
      this.#open !== undefined && this.#open.partCount > 0 ? this.#open : this.#segments[this.#segments.length - 1];
    return segment === undefined || segment.partCount === 0 ? undefined : segment.partCount - 1;
  }

  /** Whether every segment so far began with an independent frame. */
  get independentSegments(): boolean {
    return this.#independentSegments;
  }

  /** EXT-X-MEDIA-SEQUENCE */
  get mediaSequence(): number {
    return this.#segments[0]?.msn ?? this.#open?.msn ?? this.#nextMsn;
  }

  /** EXT-X-DISCONTINUITY-SEQUENCE */
  get discontinuitySequence(): number {
    return this.#discontinuitySequence;
  }

  /** Sealed segments in the window. */
  get segmentCount(): number {
    return this.#segments.length;
  }

  /** Media Sequence Number of the open segment, if one is. */
  get openMsn(): number | undefined {
    return this.#open?.msn;
  }

  /** The URI that the preload hint names now; undefined after the end. */
  get hintedPartUri(): string | undefined {
    return this.#ended ? undefined : this.#options.partUri(this.#nextPartSerial);
  }

  get #lastSealedMsn(): number {
    return (this.#open === undefined ? this.#nextMsn : this.#open.msn) - 1;
  }

  /**
   * Opens the next segment; nothing is seen of it before its first part.
   * @returns its Media Sequence Number.
   * @throws PlaylistError `segment_open`, `no_map`, `bad_text`, `ended`
   */
  startSegment(start: PlaylistSegmentStart): number {
    if (this.#ended) throw new PlaylistError("ended", "the playlist has ended");
    if (this.#open !== undefined) throw new PlaylistError("segment_open", `segment ${this.#open.msn} is still open`);
    const mapUri = start.mapUri ?? this.#mapUri;
    if (mapUri === undefined) throw new PlaylistError("no_map", "the first segment needs a mapUri");
    const first = this.#mapUri === undefined;
    const printsMap = !first && mapUri !== this.#mapUri;
    let head = "";
    if (start.discontinuity === true) head += "#EXT-X-DISCONTINUITY\n";
    const mapLine = `#EXT-X-MAP:URI=${quoted(mapUri)}\n`;
    if (printsMap) head += mapLine;
    head += `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(start.programDateTimeMs)).toISOString()}\n`;
    this.#mapUri = mapUri;
    if (start.independent === false) this.#independentSegments = false;
    this.#open = {
      msn: this.#nextMsn,
      firstPartSerial: this.#nextPartSerial,
      gap: start.gap === true,
      discontinuity: start.discontinuity === true,
      mapUri,
      printsMap,
      startTicks: this.#totalTicks,
      endTicks: this.#totalTicks,
      head,
      parts: "",
      partCount: 0,
      tail: "",
      position: -1,
    };
    return this.#nextMsn++;
  }

  /**
   * Publishes the next part of the open segment. Its bytes must be ready to be served.
   * @throws PlaylistError `no_open_segment`, `part_too_long`, `segment_too_long`, `bad_text`
   */
  appendPart(part: PartAppend): PartPosition {
    const open = this.#open;
    if (open === undefined) throw new PlaylistError("no_open_segment", "a part without an open segment");
    if (!(part.durationTicks > 0)) throw new PlaylistError("part_too_long", "a part without a duration");
    if (part.durationTicks > this.#partTargetTicks) {
      throw new PlaylistError("part_too_long", `a part of ${part.durationTicks} ticks, over ${this.#partTargetTicks}`);
    }
    const endTicks = this.#totalTicks + part.durationTicks;
    if (Math.round((endTicks - open.startTicks) / TICKS_PER_SECOND) > this.#options.targetDuration) {
      throw new PlaylistError("segment_too_long", `segment ${open.msn} passes the target duration`);
    }
    const serial = this.#nextPartSerial;
    const units = ticksToUnits(endTicks) - ticksToUnits(this.#totalTicks);
    let line = `#EXT-X-PART:DURATION=${formatUnits(units)},URI=${quoted(this.#options.partUri(serial))}`;
    if (part.independent && part.gap !== true && !open.gap) line += ",INDEPENDENT=YES";
    if (part.gap === true || open.gap) line += ",GAP=YES";
    open.parts += `${line}\n`;
    open.endTicks = endTicks;
    this.#totalTicks = endTicks;
    this.#nextPartSerial += 1;
    open.partCount += 1;
    this.#moveEdge();
    this.#changed();
    return { msn: open.msn, part: open.partCount - 1, serial };
  }

  /**
   * Closes the open segment. A segment without a part is taken back.
   * @param durationTicks how long it is, 90 kHz ticks; by default, and at least, the sum of its parts.
   * @returns its Media Sequence Number, or undefined when it was taken back.
   * @throws PlaylistError `no_open_segment`, `segment_too_long`
   */
  sealSegment(durationTicks = 0): number | undefined {
    const open = this.#open;
    if (open === undefined) throw new PlaylistError("no_open_segment", "no segment to seal");
    if (Math.round(durationTicks / TICKS_PER_SECOND) > this.#options.targetDuration) {
      throw new PlaylistError("segment_too_long", `segment ${open.msn} passes the target duration`);
    }
    this.#open = undefined;
    if (open.partCount === 0) {
      this.#nextMsn = open.msn;
      return undefined;
    }
    open.endTicks = Math.max(open.endTicks, open.startTicks + durationTicks);
    this.#totalTicks = open.endTicks;
    const units = ticksToUnits(open.endTicks) - ticksToUnits(open.startTicks);
    open.tail = `${open.gap ? "#EXT-X-GAP\n" : ""}#EXTINF:${formatUnits(units)},\n${uriLine(this.#options.segmentUri(open.msn))}\n`;
    this.#segments.push(open);
    this.#moveEdge();
    this.#removeOld();
    this.#changed();
    return open.msn;
  }

  /**
   * Appends a whole segment that has no media (EXT-X-GAP), in gap parts of the part target.
   * @param durationTicks 90 kHz ticks; at most the target duration.
   * @returns its Media Sequence Number.
   * @throws PlaylistError as `startSegment` and `appendPart` do.
   */
  appendGapSegment(start: Omit<PlaylistSegmentStart, "gap">, durationTicks: number): number {
    const msn = this.startSegment({ ...start, gap: true });
    for (let left = durationTicks; left > 0; left -= this.#partTargetTicks) {
      this.appendPart({ durationTicks: Math.min(left, this.#partTargetTicks), independent: false, gap: true });
    }
    this.sealSegment();
    return msn;
  }

  /**
   * Shortens the window: segments up to `msn` are removed although it would still hold them, because their media is
   * lost. Three target durations stay (SPEC.md rule 7).
   */
  removeThrough(msn: number): void {
    this.#lostThrough = Math.max(this.#lostThrough, msn);
    const before = this.#segments.length;
    this.#removeOld();
    if (this.#segments.length !== before) this.#changed();
  }

  /**
   * Removes the segments up to `msn`, those that are still to be sealed as well, and keeps none back: for what must not be
   * seen. Rule 7 is then kept by whoever serves the playlist, who has shown it to nobody yet.
   */
  dropThrough(msn: number): void {
    this.#droppedThrough = Math.max(this.#droppedThrough, msn);
    const before = this.#segments.length;
    this.#removeOld();
    if (this.#segments.length !== before) this.#changed();
  }

  /** Seals what is open and ends the playlist (EXT-X-ENDLIST). Idempotent. */
  end(): void {
    if (this.#ended) return;
    if (this.#open !== undefined) this.sealSegment();
    this.#ended = true;
    this.#changed();
  }

  /** Whether the playlist has part `part` of segment `msn` (without `part`: the whole segment), or anything later. */
  contains(msn: number, part?: number): boolean {
    if (this.#ended) return true;
    const sealed = this.#lastSealedMsn;
    if (part === undefined) return msn <= sealed;
    if (msn < sealed) return true;
    const open = this.#open;
    if (open !== undefined && msn === open.msn) return part < open.partCount;
    if (msn !== sealed) return false;
    const last = this.#segments[this.#segments.length - 1];
    // A part past the last of a sealed segment stands for part 0 of the one that follows.
    return (last !== undefined && part < last.partCount) || (open !== undefined && open.partCount > 0);
  }

  /** How to answer a request for the playlist with `_HLS_msn` and `_HLS_part` (SPEC.md rules 23 to 30). */
  resolve(request: { readonly msn?: number; readonly part?: number }): ReloadDecision {
    if (this.#ended) return READY;
    const { msn, part } = request;
    if (msn === undefined) return part === undefined ? READY : BAD;
    if (!isIndex(msn) || (part !== undefined && !isIndex(part))) return BAD;
    const sealed = this.#lastSealedMsn;
    if (msn > sealed + 2) return TOO_FAR;
    if (part !== undefined && msn > sealed) {
      const openParts = this.#open?.partCount ?? 0;
      const ahead = msn === sealed + 1 ? part - (openParts - 1) : part + 1;
      if (ahead > this.#advancePartLimit) return TOO_FAR;
    }
    if (this.contains(msn, part)) return READY;
    const rolls = part !== undefined && msn === sealed;
    return {
      kind: "wait",
      msn: rolls ? msn + 1 : msn,
      part: rolls ? 0 : part,
      deadlineMs: this.#options.targetDuration * 3000,
    };
  }

  /** Three seconds' worth of parts, or three (§6.2.5.2). */
  get #advancePartLimit(): number {
    return this.#options.partTarget < 1 ? 3 / this.#options.partTarget : 3;
  }

  /**
   * The playlist's bytes, shared by all callers until something changes.
   * @param skip the client sent `_HLS_skip`: a delta update, where there is anything to skip.
   */
  render({ skip = false }: { readonly skip?: boolean } = {}): Buffer {
    const skipped = skip && this.#canSkip && !this.#ended ? this.#skippable() : 0;
    const reports = this.#ended ? "" : this.#reportLines();
    const cached = skipped > 0 ? this.#delta : this.#full;
    if (cached !== undefined && cached.version === this.#version && cached.reports === reports) return cached.bytes;
    const bytes = this.#join(skipped, reports);
    const rendered = { version: this.#version, reports, bytes };
    if (skipped > 0) this.#delta = rendered;
    else this.#full = rendered;
    return bytes;
  }

  #join(skipped: number, reports: string): Buffer {
    const first = this.#segments[skipped] ?? this.#open;
    let header =
      `${this.#headerLines}#EXT-X-MEDIA-SEQUENCE:${this.mediaSequence}\n` +
      `#EXT-X-DISCONTINUITY-SEQUENCE:${this.#discontinuitySequence}\n`;
    if (this.#independentSegments) header += "#EXT-X-INDEPENDENT-SEGMENTS\n";
    if (skipped > 0) header += `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n`;
    // The section in force where the lines begin, whichever removed or skipped segment brought it.
    const mapUri = first?.mapUri ?? this.#mapUri;
    if (mapUri !== undefined && first?.printsMap !== true) header += `#EXT-X-MAP:URI=${quoted(mapUri)}\n`;

    let edge = "";
    const withParts = this.#segments.length - this.#sealedWithParts();
    for (let i = Math.max(this.#edge, skipped); i < this.#segments.length; i += 1) {
      const segment = this.#segments[i] as Segment;
      edge += segment.head;
      if (i >= withParts) edge += segment.parts;
      edge += segment.tail;
    }
    if (this.#open !== undefined && this.#open.partCount > 0) edge += this.#open.head + this.#open.parts;
    if (this.#ended) edge += "#EXT-X-ENDLIST\n";
    else edge += `#EXT-X-PRELOAD-HINT:TYPE=PART,URI=${quoted(this.#options.partUri(this.#nextPartSerial))}\n`;
    edge += reports;

    const firstInBody = skipped < this.#edge ? (this.#segments[skipped] as Segment) : undefined;
    const headerBytes = Buffer.from(header);
    const edgeBytes = Buffer.from(edge);
    return firstInBody === undefined
      ? Buffer.concat([headerBytes, edgeBytes])
      : Buffer.concat([headerBytes, this.#body.from(firstInBody.position), edgeBytes]);
  }

  #reportLines(): string {
    if (this.#options.reports === undefined) return "";
    let lines = "";
    for (const report of this.#options.reports()) {
      if (report.lastMsn < 0) continue; // nothing there yet
      lines += `#EXT-X-RENDITION-REPORT:URI=${quoted(report.uri)},LAST-MSN=${report.lastMsn}`;
      lines += report.lastPart === undefined ? "\n" : `,LAST-PART=${report.lastPart}\n`;
    }
    return lines;
  }

  /** How many segments lie wholly further from the end of the last segment than the skip boundary. */
  #skippable(): number {
    const end = this.#segments[this.#segments.length - 1]?.endTicks;
    if (end === undefined) return 0;
    // Binary search: segments are in order, and the window may hold thousands.
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (end - (this.#segments[middle] as Segment).endTicks > this.#skipBoundaryTicks) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many sealed segments at the live edge list their parts; the segment that the hint belongs to counts as one. */
  #sealedWithParts(): number {
    let count = 0;
    while (count < this.#segments.length && count < this.#maxSegmentsWithParts - 1) {
      const segment = this.#segments[this.#segments.length - 1 - count] as Segment;
      if (this.#totalTicks - segment.startTicks > 3 * this.#targetDurationTicks) break;
      count += 1;
    }
    return count;
  }

  /** Writes segments that no longer list their parts to the body. */
  #moveEdge(): void {
    const withParts = this.#segments.length - this.#sealedWithParts();
    for (; this.#edge < withParts; this.#edge += 1) {
      const segment = this.#segments[this.#edge] as Segment;
      segment.position = this.#body.end;
      this.#body.append(segment.head + segment.tail);
      segment.parts = "";
    }
  }

  #removeOld(): void {
    const keep = Math.max(this.#options.windowTicks, 3 * this.#targetDurationTicks);
    const maxSegments = this.#options.maxSegments ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const [first, second] = this.#segments;
      if (first === undefined) return;
      if (first.msn > this.#droppedThrough) {
        if (second === undefined || this.#edge === 0) return;
        const left = this.#totalTicks - first.endTicks;
        const unwanted = this.#segments.length > maxSegments || first.msn <= this.#lostThrough;
        const tooMany = unwanted && left >= 3 * this.#targetDurationTicks;
        if (left < keep && !tooMany) return;
      }
      this.#removeFirst(first, second);
    }
  }

  #removeFirst(first: Segment, second: Segment | undefined): void {
    this.#segments.shift();
    if (this.#edge > 0) {
      this.#edge -= 1;
      this.#body.dropBefore(this.#edge > 0 && second !== undefined ? second.position : this.#body.end);
    }
    if (first.discontinuity) this.#discontinuitySequence += 1;
    this.#options.onRemoved?.({
      msn: first.msn,
      durationTicks: first.endTicks - first.startTicks,
      firstPartSerial: first.firstPartSerial,
      partCount: first.partCount,
      gap: first.gap,
    });
  }

  #changed(): void {
    this.#version += 1;
  }
}

interface Rendered {
  readonly version: number;
  readonly reports: string;
  readonly bytes: Buffer;
}

const READY: ReloadDecision = { kind: "ready" };
const BAD: ReloadDecision = { kind: "bad" };
const TOO_FAR: ReloadDecision = { kind: "too_far" };

/** The most 90 kHz ticks that a part may last under a PART-TARGET of `seconds`. */
export function partTargetTicks(seconds: number): number {
  return Math.floor(seconds * TICKS_PER_SECOND + 1e-6);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function demand(holds: boolean, message: string): void {
  if (!holds) throw new PlaylistError("bad_option", message);
}

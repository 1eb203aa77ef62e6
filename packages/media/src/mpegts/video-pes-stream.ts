import type { VideoTrack } from "../access-unit.ts";
import { TICKS_PER_SECOND } from "../access-unit.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import { H264_NAL, h264NalType } from "../h264/nal-unit-type.ts";
import { h264RecoveryFrameCount } from "../h264/recovery-point.ts";
import { parseH264Sps } from "../h264/sps.ts";
import { MediaError } from "../media-error.ts";
import type { NalElementaryStream } from "../nal/nal-elementary-stream.ts";
import { NalSpans } from "../nal/nal-spans.ts";
import {
  type AccessUnitStart,
  h264BeginsAccessUnit,
  hevcBeginsAccessUnit,
  isSlice,
  tellStart,
} from "./access-unit-start.ts";
import type { PesHeader } from "./pes-header.ts";
import type { PesFlags, PesSink } from "./pes-reader.ts";
import type { StreamContext } from "./stream-context.ts";
import { timestampDifference } from "./timestamp-unwrap.ts";

/** After so many PES packets that began with an access unit, the end of a PES packet is taken for the end of one. */
const ALIGNMENT_TRUST = 4;

/** A PES packet with a length close to the greatest (65,535) may be a piece of an access unit that did not fit. */
const MAY_BE_SPLIT = 60_000;

const FIRST_CAPACITY = 64 * 1024;
const MAX_MARKS = 64;
const DEFAULT_FRAME_TICKS = 3000;

/** The timestamps of a PES packet: they are those of the first access unit that begins in it. */
interface Mark {
  /** Where the PES packet's bytes begin in the buffer. */
  offset: number;
  readonly pts: number;
  readonly dts: number;
  readonly randomAccess: boolean;
  readonly discontinuity: boolean;
}

/** The NAL units of one access unit in the spans of the last scan, and what they tell. */
interface Group {
  readonly start: number;
  readonly end: number;
  readonly slices: boolean;
  readonly randomAccess: boolean;
  readonly recoveryPoint: boolean;
  /** HEVC: random access skipped leading pictures, which cannot be decoded when decoding began at their CRA. */
  readonly skippedLeading: boolean;
}

/**
 * Makes access units of the PES packets of one H.264 or HEVC stream.
 *
 * Nearly always a PES packet is an access unit. Several in one are told apart by their NAL units, and one that goes
 * on in the next PES packet is put together; since that shows only when the next PES packet comes, the first
 * `ALIGNMENT_TRUST` access units, and all after a stream was once seen to do so, wait for it.
 *
 * After a loss nothing is handed on until a keyframe (if so chosen): everything before refers to what is missing.
 */
export class VideoPesStream implements PesSink {
  readonly #context: StreamContext;
  readonly #codec: "h264" | "hevc";
  readonly #units: NalElementaryStream;
  readonly #beginsAccessUnit: AccessUnitStart;
  readonly #maxBytes: number;
  readonly #waitForKeyframe: boolean;
  readonly #spans = new NalSpans();

  #bytes = new Uint8Array(0);
  #length = 0;
  #marks: Mark[] = [];
  /** Where the PES packet under way begins in the buffer. */
  #pesStart = 0;
  #pesMayBeSplit = false;
  /** Whether it is known how the PES packet under way begins. */
  #startKnown = true;
  /** Whether a slice is in the buffer, among what was looked at. */
  #hasSlice = false;
  /** Bytes are passed over until a PES packet begins with an access unit. */
  #skipping = true;
  /** PES packets in a row that began with an access unit; −1: one did not. */
  #aligned = 0;

  #waiting: boolean;
  /** Pictures before this PTS cannot be decoded: decoding began at a recovery point that follows them in output. */
  #undecodableBefore = -1;
  #afterCra = false;
  #idrs = 0;
  #recoveryPointsSinceIdr = 0;
  #sps: Uint8Array | undefined;
  #interlaced = false;
  #discontinuityAhead = false;
  #discontinuity = false;

  #lastDts = -1;
  #lastDelay = 0;
  #frameTicks = DEFAULT_FRAME_TICKS;
  #toldMissingTimestamps = false;

  /**
   * @param units the codec's elementary stream, fresh.
   * @param options.maxBytes the most that is held of one access unit.
   * @param options.waitForKeyframe whether access units before the first keyframe, and between a loss and the next
   *   keyframe, are dropped.
   */
  constructor(
    context: StreamContext,
    codec: "h264" | "hevc",
    units: NalElementaryStream,
    options: { readonly maxBytes: number; readonly waitForKeyframe: boolean },
  ) {
    this.#context = context;
    this.#codec = codec;
    this.#units = units;
    this.#beginsAccessUnit = codec === "h264" ? h264BeginsAccessUnit : hevcBeginsAccessUnit;
    this.#maxBytes = options.maxBytes;
    this.#waitForKeyframe = options.waitForKeyframe;
    this.#waiting = options.waitForKeyframe;
  }

  get track(): VideoTrack | undefined {
    return this.#units.track;
  }

  /** The next access unit with a timestamp is the first on another timeline. */
  markDiscontinuity(): void {
    this.#discontinuityAhead = true;
  }

  onPesStart(header: PesHeader, flags: PesFlags): void {
    if (this.#startKnown) {
      this.#pesStart = this.#length;
      this.#startKnown = false;
    }
    this.#pesMayBeSplit = header.dataLength >= MAY_BE_SPLIT;
    if (header.pts < 0) return;
    const dts = this.#context.unwrap(header.dts < 0 ? header.pts : header.dts);
    let pts = dts + (header.dts < 0 ? 0 : timestampDifference(header.pts, header.dts));
    if (pts < dts) {
      this.#context.warn("timestamp_invalid", `PTS ${dts - pts} ticks before DTS`);
      pts = dts;
    }
    if (this.#marks.length === MAX_MARKS) this.#marks.pop();
    this.#marks.push({
      offset: this.#length,
      pts,
      dts,
      randomAccess: flags.randomAccess,
      discontinuity: this.#discontinuityAhead,
    });
    this.#discontinuityAhead = false;
  }

  onPesData(data: Uint8Array, start: number, end: number): void {
    if (this.#skipping && this.#startKnown) return;
    const length = this.#length + end - start;
    if (length > this.#bytes.length && !this.#grow(length)) return;
    this.#bytes.set(data.subarray(start, end), this.#length);
    this.#length = length;
    if (!this.#startKnown) this.#tellStart(false);
  }

  onPesEnd(): void {
    // A PES packet of a few bytes may be too short to tell; it is taken together with the next.
    if (!this.#startKnown || this.#skipping) return;
    const held = this.#aligned < ALIGNMENT_TRUST || this.#pesMayBeSplit;
    // Nothing pending, nothing to wait for: the usual case, in which the bytes are looked at once.
    if (this.#pesStart === 0 && !held) {
      this.#drain(this.#length, false);
      return;
    }
    if (!this.#hasSlice) this.#lookForSlice();
    if (!held && this.#hasSlice) this.#drain(this.#length, false);
  }

  onPesContinued(): void {
    if (this.#length > 0) return; // nothing was handed on yet
    this.#truncated();
  }

  onPesLost(): void {
    this.#reset();
    this.#skipping = true;
    this.#startKnown = true;
    this.#waiting = this.#waitForKeyframe;
  }

  /** Hands on what is pending: no more follows. */
  flush(): void {
    if (!this.#startKnown) this.#tellStart(true);
    if (!this.#skipping && this.#length > 0) this.#drain(this.#length, true);
    this.#reset();
  }

  /**
   * Looks how the PES packet under way begins; what was pending ends there or goes on.
   * @param final whether no more bytes will come that could tell.
   */
  #tellStart(final: boolean): void {
    const told = tellStart(this.#beginsAccessUnit, this.#bytes, this.#pesStart, this.#length);
    if (told === "unknown" && !final) return;
    this.#startKnown = true;
    const begins = told === "begins";
    if (this.#pesStart > 0) {
      if (!this.#hasSlice) return;
      if (!begins) {
        if (this.#aligned >= 0 && !this.#pesMayBeSplit) this.#aligned = -1;
        return;
      }
      if (this.#aligned >= 0) this.#aligned += 1;
      this.#drain(this.#pesStart, true);
      return;
    }
    if (begins) {
      this.#skipping = false;
      if (this.#aligned >= 0) this.#aligned += 1;
      return;
    }
    if (this.#skipping) this.#reset();
    else this.#truncated();
  }

  /** The access unit handed on last goes on: it was not whole. Once seen, no end of a PES packet is trusted again. */
  #truncated(): void {
    this.#context.warn("access_unit_truncated", "an access unit went on in the next PES packet");
    this.#aligned = -1;
    this.onPesLost();
  }

  #reset(): void {
    this.#length = 0;
    this.#pesStart = 0;
    this.#hasSlice = false;
    this.#marks.length = 0;
  }

  #grow(needed: number): boolean {
    if (needed > this.#maxBytes) {
      this.#context.warn("pes_too_large", `an access unit of more than ${this.#maxBytes} bytes`);
      this.onPesLost();
      return false;
    }
    let capacity = Math.max(this.#bytes.length, FIRST_CAPACITY);
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(Math.min(capacity, this.#maxBytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    return true;
  }

  /** Whether a slice began in the last PES packet. Looks at each byte once, so that many small packets cost no more than one. */
  #lookForSlice(): void {
    const from = Math.max(0, this.#pesStart - 3);
    const view = this.#bytes.subarray(from, this.#length);
    if (!this.#scan(view)) return;
    for (let i = 0; i < this.#spans.count && !this.#hasSlice; i += 1) {
      this.#hasSlice = isSlice(this.#codec, view[this.#spans.start(i)] as number);
    }
  }

  #scan(view: Uint8Array): boolean {
    try {
      this.#spans.scanAnnexB(view);
      return true;
    } catch (error) {
      this.#malformed(error);
      return false;
    }
  }

  #malformed(error: unknown): void {
    if (!(error instanceof MediaError)) throw error;
    this.#context.warn("access_unit_malformed", error.message);
    this.onPesLost();
  }

  /**
   * Hands on the access units in the first `end` bytes.
   * @param final whether the last one is whole even when it has no slice yet.
   */
  #drain(end: number, final: boolean): void {
    const view = this.#bytes.subarray(0, end);
    if (!this.#scan(view)) return;
    const groups = this.#split(view);
    const last = groups.at(-1);
    if (last !== undefined && !last.slices && !final) {
      groups.pop();
      end = groups.length === 0 ? 0 : last.start;
    }
    for (const group of groups) {
      if (!this.#handOn(group)) return; // the rest went with it
    }
    this.#discard(end);
  }

  #discard(end: number): void {
    this.#bytes.copyWithin(0, end, this.#length);
    this.#length -= end;
    this.#pesStart = Math.max(0, this.#pesStart - end);
    this.#hasSlice = false;
    let kept = 0;
    for (const mark of this.#marks) {
      if (mark.offset < end) continue;
      mark.offset -= end;
      this.#marks[kept++] = mark;
    }
    this.#marks.length = kept;
  }

  /** Divides the scanned NAL units into access units. */
  #split(view: Uint8Array): Group[] {
    const groups: Group[] = [];
    let start = -1;
    let slices = false;
    let randomAccess = false;
    let recoveryPoint = false;
    let skippedLeading = false;
    for (let i = 0; i < this.#spans.count; i += 1) {
      const at = this.#spans.start(i);
      const end = this.#spans.end(i);
      if (start < 0) {
        start = at - 3;
      } else if (slices && !this.#interlaced && this.#beginsAccessUnit(view, at, end)) {
        groups.push({ start, end: at - 3, slices, randomAccess, recoveryPoint, skippedLeading });
        start = at - 3;
        slices = false;
        randomAccess = false;
        recoveryPoint = false;
        skippedLeading = false;
      }
      const header = view[at] as number;
      if (isSlice(this.#codec, header)) {
        slices = true;
        if (this.#codec === "h264") {
          if (h264NalType(header) === H264_NAL.SLICE_IDR) randomAccess = true;
        } else {
          const type = header >> 1;
          if (type >= 16 && type <= 23) randomAccess = true;
          if (type === 8 || type === 9) skippedLeading = true;
        }
      } else if (this.#codec === "h264") {
        const type = h264NalType(header);
        if (type === H264_NAL.SPS) this.#noteSps(view.subarray(at, end));
        else if (type === H264_NAL.SEI && !recoveryPoint) {
          recoveryPoint = h264RecoveryFrameCount(view.subarray(at, end)) !== undefined;
        }
      }
    }
    if (start >= 0) groups.push({ start, end: view.length, slices, randomAccess, recoveryPoint, skippedLeading });
    return groups;
  }

  /** The two fields of an interlaced frame are access units of their own to H.264, but one frame to everyone else. */
  #noteSps(sps: Uint8Array): void {
    if (this.#sps !== undefined && equalBytes(this.#sps, sps)) return;
    this.#sps = sps.slice();
    try {
      this.#interlaced = parseH264Sps(sps).interlaced;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error; // said so when the access unit is read
    }
  }

  /** @returns false when the access unit was broken and everything pending was dropped. */
  #handOn(group: Group): boolean {
    const mark = this.#takeMark(group.start);
    if (mark?.discontinuity === true) this.#discontinuity = true;
    const sync = this.#isSync(group, mark?.randomAccess === true);
    const before = this.#units.track;
    let frame: ReturnType<NalElementaryStream["pushAnnexB"]>;
    try {
      frame = this.#units.pushAnnexB(this.#bytes.subarray(group.start, group.end), sync);
    } catch (error) {
      this.#malformed(error);
      return false;
    }
    const track = this.#units.track;
    if (track !== undefined && track !== before) {
      if (track.frameRate !== undefined) this.#frameTicks = TICKS_PER_SECOND / track.frameRate;
      this.#context.sink.onTrack(track);
    }
    if (frame.data.length === 0) return true;
    if (!this.#time(mark)) return true;
    const dts = this.#lastDts;
    const pts = dts + this.#lastDelay;
    if (track === undefined) return true;
    if (!this.#decodable(frame.keyframe, group, pts)) return true;
    const discontinuity = this.#discontinuity;
    this.#discontinuity = false;
    this.#context.sink.onAccessUnit({
      track,
      dts,
      pts,
      keyframe: frame.keyframe,
      data: frame.data,
      ...(discontinuity && { discontinuity }),
    });
    return true;
  }

  /**
   * Whether the access unit may count as a keyframe though it is no IDR picture: with a recovery point, or where
   * the container says so, but only in streams that are made without IDR pictures (open GOPs, intra refresh).
   * Such a stream may begin with an IDR picture, as every stream of an encoder does; one that has shown two makes
   * them, unless two recovery points in a row come without one.
   */
  #isSync(group: Group, randomAccess: boolean): boolean {
    if (group.randomAccess) {
      this.#idrs += 1;
      this.#recoveryPointsSinceIdr = 0;
      return true;
    }
    if (!group.recoveryPoint && !randomAccess) return false;
    this.#recoveryPointsSinceIdr += 1;
    return this.#idrs < 2 || this.#recoveryPointsSinceIdr >= 2;
  }

  #decodable(keyframe: boolean, group: Group, pts: number): boolean {
    if (this.#waiting) {
      if (!keyframe) return false;
      this.#waiting = false;
      this.#afterCra = this.#codec === "hevc";
      this.#undecodableBefore = group.randomAccess ? -1 : pts;
      return true;
    }
    if (keyframe) {
      this.#afterCra = false;
      this.#undecodableBefore = -1;
    }
    if (this.#afterCra && group.skippedLeading) return false;
    return pts >= this.#undecodableBefore;
  }

  /** The timestamps that belong to an access unit which begins at `offset`, if there are any. */
  #takeMark(offset: number): Mark | undefined {
    let found: Mark | undefined;
    while (this.#marks.length > 0 && (this.#marks[0] as Mark).offset <= offset) found = this.#marks.shift();
    return found;
  }

  /** Sets the time of the access unit; false when there is nothing to go by yet. */
  #time(mark: Mark | undefined): boolean {
    if (mark !== undefined) {
      const step = mark.dts - this.#lastDts;
      if (
        this.#lastDts >= 0 &&
        step > 0 &&
        step < 10 * TICKS_PER_SECOND &&
        this.#units.track?.frameRate === undefined
      ) {
        this.#frameTicks = step;
      }
      this.#lastDts = mark.dts;
      this.#lastDelay = mark.pts - mark.dts;
      return true;
    }
    if (!this.#toldMissingTimestamps) {
      this.#toldMissingTimestamps = true;
      this.#context.warn("timestamps_missing", "access units without timestamps are spaced by the frame rate");
    }
    if (this.#lastDts < 0) return false;
    this.#lastDts = Math.round(this.#lastDts + this.#frameTicks);
    return true;
  }
}

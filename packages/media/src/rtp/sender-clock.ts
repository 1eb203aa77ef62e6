import { TICKS_PER_SECOND } from "../access-unit.ts";
import { unwrapRtpTimestamp } from "./rtp-unwrap.ts";

/** What a sender report (RFC 3550 § 6.4.1) says of time: the sender's wall clock, Unix ms, at an RTP timestamp. */
export interface SenderReportTime {
  readonly ntpMs: number;
  /** 32 bits, in units of the codec's clock. */
  readonly rtpTimestamp: number;
}

/** What became of a sender report. */
export type SenderReportOutcome = "taken" | "early" | "implausible";

const MS = TICKS_PER_SECOND / 1000;
/** Where the first packet of a sender is put: streams that come later may be moved before it. */
const HEADROOM = 10 * TICKS_PER_SECOND;
/** A timestamp that leaps by more than this against the time of arrival is of another beginning. */
const JUMP_MS = 3000;
/** A stream that stays so far behind for so long was stopped without its timestamps going on. */
const LAG_CONFIRM_MS = 2000;
/** A report of a timestamp that is so far from what the packets have is of another stream (another simulcast layer, say). */
const REPORT_REACH_MS = 10_000;
/** No arrival times are so wrong that a report may move a stream by more. */
const MAX_CORRECTION = 5 * TICKS_PER_SECOND;
/** Reports differ by this much from each other without meaning anything. */
const DEAD_BAND = 2 * MS;
/** How fast the usual lead follows, so that clocks that drift are not taken for a jump. */
const LEAD_FOLLOW = 0.01;

/**
 * The one timeline of a sender's streams. Each stream is first placed by when its first packet came; sender reports of two
 * streams tell how they really lie to each other. The stream that the others are moved to is an audio stream where there
 * is one: a listener hears what a viewer does not see.
 */
export class SenderClock {
  readonly #streams: StreamClock[] = [];
  #epochMs: number | undefined;

  add(kind: "audio" | "video", clockRate: number): StreamClock {
    const stream = new StreamClock(this, kind, clockRate);
    this.#streams.push(stream);
    return stream;
  }

  remove(stream: StreamClock): void {
    const index = this.#streams.indexOf(stream);
    if (index >= 0) this.#streams.splice(index, 1);
  }

  /** For the streams: the timeline's position, ticks, of a moment. */
  positionAt(nowMs: number): number {
    this.#epochMs ??= nowMs;
    return HEADROOM + Math.round((nowMs - this.#epochMs) * MS);
  }

  /** For the streams: reports have changed, so where they lie to each other may have. */
  align(): void {
    const reported = this.#streams.filter((stream) => stream.report !== undefined);
    const reference = reported.find(({ kind }) => kind === "audio") ?? reported[0];
    if (reference?.report === undefined) return;
    const anchorTicks = reference.ticksOf(reference.report.timestamp);
    for (const stream of reported) {
      if (stream === reference || stream.report === undefined) continue;
      stream.moveTo(anchorTicks + (stream.report.ntpMs - reference.report.ntpMs) * MS, stream.report.timestamp);
    }
  }
}

/** The place of one RTP stream on its sender's timeline. */
export class StreamClock {
  readonly kind: "audio" | "video";
  readonly #sender: SenderClock;
  readonly #ticksPerUnit: number;
  readonly #msPerUnit: number;
  /** Ticks = timestamp × ticksPerUnit + offset. */
  #offset = 0;
  /** What the offset is on its way to. */
  #goal = 0;
  #last: { readonly timestamp: number; readonly arrivalMs: number } | undefined;
  /** By how much timestamps are usually ahead of arrival, ms, from arbitrary zeros. */
  #lead = 0;
  #lagSinceMs: number | undefined;
  #nowMs = 0;
  #report: { readonly ntpMs: number; readonly timestamp: number } | undefined;
  /** Came before the first packet. */
  #earlyReport: SenderReportTime | undefined;
  /** Of the access unit placed last; the timestamp is `undefined` after a leap. */
  #lastTimestamp: number | undefined;
  #lastTicks = -1;

  constructor(sender: SenderClock, kind: "audio" | "video", clockRate: number) {
    this.#sender = sender;
    this.kind = kind;
    this.#ticksPerUnit = TICKS_PER_SECOND / clockRate;
    this.#msPerUnit = 1000 / clockRate;
  }

  /** The latest report, its timestamp unwrapped. */
  get report(): { readonly ntpMs: number; readonly timestamp: number } | undefined {
    return this.#report;
  }

  /** How far the stream still is from where reports say that it belongs, ticks. */
  get correction(): number {
    return this.#goal - this.#offset;
  }

  /** Time goes on, also while no packets come. */
  tick(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
  }

  /**
   * A packet came. In the order of sequence numbers.
   * @returns its timestamp unwrapped, and whether the stream's timestamps leapt: {@link StreamClock.reanchor} is to be called then.
   */
  arrived(raw: number, arrivalMs: number): { timestamp: number; jumped: boolean } {
    this.tick(arrivalMs);
    const last = this.#last;
    if (last === undefined) {
      this.reanchor(raw, arrivalMs);
      const early = this.#earlyReport;
      this.#earlyReport = undefined;
      if (early !== undefined) this.onSenderReport(early);
      return { timestamp: raw, jumped: false };
    }
    const timestamp = unwrapRtpTimestamp(raw, last.timestamp);
    const jumped = this.#hasJumped(timestamp, arrivalMs);
    if (!jumped) this.#last = { timestamp, arrivalMs };
    return { timestamp, jumped };
  }

  /** From this timestamp on the stream goes on at the time of arrival, after all that was. */
  reanchor(timestamp: number, arrivalMs: number): void {
    this.#offset = Math.round(this.#sender.positionAt(arrivalMs) - timestamp * this.#ticksPerUnit);
    this.#goal = this.#offset;
    this.#last = { timestamp, arrivalMs };
    this.#lead = timestamp * this.#msPerUnit - arrivalMs;
    this.#lagSinceMs = undefined;
    this.#report = undefined;
    // What follows must not run backwards, and its distance from what was before means nothing.
    this.#lastTimestamp = undefined;
    const behind = Math.ceil(this.#lastTicks + 1 - this.ticksOf(timestamp));
    if (behind > 0) {
      this.#offset += behind;
      this.#goal = this.#offset;
    }
  }

  /** The sender began anew: its next timestamp has nothing to do with those before. */
  restart(): void {
    this.#last = undefined;
    this.#report = undefined;
    this.#earlyReport = undefined;
  }

  /** `early`: kept until the first packet comes. */
  onSenderReport(report: SenderReportTime): SenderReportOutcome {
    const last = this.#last;
    if (last === undefined) {
      this.#earlyReport = report;
      return "early";
    }
    const timestamp = unwrapRtpTimestamp(report.rtpTimestamp, last.timestamp);
    const expectedMs = Math.max(0, this.#nowMs - last.arrivalMs);
    const aheadMs = (timestamp - last.timestamp) * this.#msPerUnit;
    if (!Number.isFinite(report.ntpMs) || aheadMs < -REPORT_REACH_MS || aheadMs > expectedMs + REPORT_REACH_MS) {
      return "implausible";
    }
    this.#report = { ntpMs: report.ntpMs, timestamp };
    this.#sender.align();
    return this.#report === undefined ? "implausible" : "taken";
  }

  /** Where a timestamp lies on the timeline once all corrections are made, ticks. */
  ticksOf(timestamp: number): number {
    return timestamp * this.#ticksPerUnit + this.#goal;
  }

  /** For the sender's clock: `timestamp` belongs at `ticks`. */
  moveTo(ticks: number, timestamp: number): void {
    const goal = Math.round(ticks - timestamp * this.#ticksPerUnit);
    if (Math.abs(goal - this.#goal) <= DEAD_BAND) return;
    if (Math.abs(goal - this.#offset) > MAX_CORRECTION) {
      this.#report = undefined;
      return;
    }
    this.#goal = goal;
  }

  /**
   * Where an access unit lies on the timeline, ticks: later than the one before it. A correction to a later time is one step;
   * one to an earlier time is spread over the access units that follow, each at least half as long as it should be.
   * @returns also whether its timestamp did not follow the one before it, which was mended.
   */
  place(timestamp: number): { ticks: number; backwards: boolean } {
    const wanted = Math.round(timestamp * this.#ticksPerUnit + this.#goal);
    const duration = (timestamp - (this.#lastTimestamp ?? timestamp - 1)) * this.#ticksPerUnit;
    const backwards = duration <= 0;
    const least = this.#lastTimestamp === undefined ? 1 : Math.max(1, Math.floor(duration / 2));
    const ticks = Math.max(wanted, this.#lastTicks + least);
    if (!backwards) {
      this.#offset = this.#goal + (ticks - wanted);
      this.#lastTimestamp = timestamp;
    }
    this.#lastTicks = ticks;
    return { ticks, backwards };
  }

  #hasJumped(timestamp: number, arrivalMs: number): boolean {
    const last = this.#last as { timestamp: number; arrivalMs: number };
    const stepMs = (timestamp - last.timestamp) * this.#msPerUnit;
    const lead = timestamp * this.#msPerUnit - arrivalMs;
    if (Math.abs(stepMs) > JUMP_MS && Math.abs(stepMs - (arrivalMs - last.arrivalMs)) > JUMP_MS) return true;
    if (this.#lead - lead > JUMP_MS) {
      // Late: the network may have held packets up, and the others will be less late.
      this.#lagSinceMs ??= arrivalMs;
      return arrivalMs - this.#lagSinceMs > LAG_CONFIRM_MS;
    }
    this.#lagSinceMs = undefined;
    this.#lead += (lead - this.#lead) * LEAD_FOLLOW;
    return false;
  }
}

import { TICKS_PER_SECOND } from "@klieg/media";
import { SpeedMeter } from "./speed-meter.ts";
import type { TranscodeRun } from "./transcode-run.ts";
import type { TranscoderTimings } from "./transcoder-events.ts";

/** `stalled`: media goes in and none comes out; `slow`: less comes out a second than goes in, and it does not catch up. */
export type RunVerdict = "fine" | "stalled" | "slow";

/** How often a run is looked at, ms. */
export const WATCH_MS = 250;
/** FFmpeg is too slow for the machine when it has been so far behind for so long and does not catch up. */
const SLOW_LAG = 1.5 * TICKS_PER_SECOND;
const SLOW_FOR_MS = 3000;
const ALIVE_MS = 750;
const SETTLED_MS = 5000;
const SILENT_INPUT_MS = 1000;

/** Tells by a run's timestamps whether its FFmpeg hangs, or is too slow for the machine. */
export class RunWatch {
  readonly #timings: Pick<TranscoderTimings, "stalledMs" | "startingMs">;
  readonly #meter = new SpeedMeter();
  #lookedAt: number;

  constructor(now: number, timings: Pick<TranscoderTimings, "stalledMs" | "startingMs">) {
    this.#lookedAt = now;
    this.#timings = timings;
  }

  /** Media seconds made a second; undefined before a second has been seen. */
  get speed(): number | undefined {
    return this.#meter.speed;
  }

  /** Another run begins, or the timeline breaks. */
  reset(): void {
    this.#meter.reset();
  }

  /** To be called every {@link WATCH_MS}. @param now ms. @param run the one at work; undefined where there is none. */
  look(now: number, run: TranscodeRun | undefined): RunVerdict {
    // A process that was itself held up has yet to read what FFmpeg has made.
    const late = now - this.#lookedAt > WATCH_MS * 3;
    this.#lookedAt = now;
    if (run === undefined || late) return "fine";
    if (run.lastOutputPts !== undefined) this.#meter.note(now, run.lastInputPts, run.lastOutputPts);
    if (this.#stalled(run, now)) return "stalled";
    return this.#tooSlow(run, now) ? "slow" : "fine";
  }

  #stalled(run: TranscodeRun, now: number): boolean {
    if (now - run.lastInputAt > SILENT_INPUT_MS || run.lag < TICKS_PER_SECOND) return false;
    const { stalledMs, startingMs } = this.#timings;
    if (run.lastOutputAt === undefined) return now - run.startedAt > startingMs;
    // While it waits for room, its output is that of the run before it.
    return now - run.lastOutputAt > stalledMs;
  }

  #tooSlow(run: TranscodeRun, now: number): boolean {
    // One that makes nothing at all is not slow.
    if (run.plan.video === undefined || run.lastOutputAt === undefined || now - run.lastOutputAt > ALIVE_MS)
      return false;
    // A start takes time, and a resumed one catches up.
    if (now - run.startedAt < SETTLED_MS) return false;
    return this.#meter.isFallingBehind(SLOW_LAG, SLOW_FOR_MS);
  }
}

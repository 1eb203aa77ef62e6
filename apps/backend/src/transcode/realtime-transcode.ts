import type { Clock } from "@klieg/base";
import type { FfmpegExit } from "@klieg/ffmpeg";
import { RestartPolicy } from "@klieg/ffmpeg";
import {
  type AccessUnit,
  type AudioTrack,
  MediaError,
  TICKS_PER_SECOND,
  type Track,
  type VideoTrack,
} from "@klieg/media";
import type { Logger } from "../ports/logger.ts";
import { frameRateOf } from "./frame-rate.ts";
import { planRealtimeAudio, planRealtimeVideo } from "./realtime-plan.ts";
import { RecentMedia } from "./recent-media.ts";
import { sameMedia } from "./source-tracks.ts";
import { SpeedMeter } from "./speed-meter.ts";
import type { CoreReservation, TranscodeEngine } from "./transcode-engine.ts";
import { PROBED_FRAMES, type RunPlan, TranscodeRun } from "./transcode-run.ts";

export interface RealtimeTranscodeOptions {
  readonly engine: TranscodeEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An FFmpeg begins: what it makes first comes late. */
  readonly onStarted?: () => void;
  /** Gets what is made, in order: H.264 without B-frames, or Opus. */
  readonly onUnit: (unit: AccessUnit) => void;
  /** Nothing can be made of the source, in words; told at each of its tracks. */
  readonly onImpossible: (reason: string) => void;
}

const TICK_MS = 500;
/** FFmpeg that makes nothing for so long while media comes is stalled, ms; longer for one that has just started. */
const STALLED_MS = 1500;
const STARTING_MS = 6000;
/** It may be so far behind, for so long, before it is given less to make. */
const SLOW_LAG = 0.75 * TICKS_PER_SECOND;
const SLOW_FOR_MS = 3000;
const SETTLED_MS = 4000;
/** What FFmpeg could have to catch up with when it is started: more is no use to anybody who watches live. */
const REACH = { bytes: 24 * 1024 * 1024, ticks: 6 * TICKS_PER_SECOND };

/**
 * Makes one track of a source into what WebRTC viewers take (RTC3), and keeps the FFmpeg that does so alive: it comes
 * back when it dies, hangs or falls behind, with a smaller picture where the machine was too slow. One of its own for
 * each kind of track: neither waits for the other, and what becomes of one is not the other's concern.
 */
export class RealtimeTranscode implements AsyncDisposable {
  readonly #options: RealtimeTranscodeOptions;
  readonly #reservation: CoreReservation;
  readonly #policy = new RestartPolicy();
  readonly #meter = new SpeedMeter();
  readonly #tick: Disposable;
  /** Every FFmpeg that is not gone yet. */
  readonly #runs = new Set<TranscodeRun>();
  #track: Track | undefined;
  #recent = new RecentMedia(false, REACH);
  #run: TranscodeRun | undefined;
  #shed = 0;
  /** Nothing can be made of the present track. */
  #idle = false;
  #restartTimer: Disposable | undefined;
  /** Nothing from before this is handed on, 90 kHz ticks. */
  #from = Number.NEGATIVE_INFINITY;
  #lastPts = Number.NEGATIVE_INFINITY;
  #restarts = 0;
  #closed: Promise<void> | undefined;

  constructor(options: RealtimeTranscodeOptions) {
    this.#options = options;
    this.#reservation = options.engine.reserve();
    this.#tick = options.clock.every(TICK_MS, () => this.#onTick());
  }

  /** Process id of the FFmpeg at work. */
  get pid(): number | undefined {
    return this.#run?.pid;
  }

  /** Times that FFmpeg had to be started anew. */
  get restarts(): number {
    return this.#restarts;
  }

  /** What is made now: the size of the picture; undefined of sound, and before it is decided. */
  get size(): { readonly width: number; readonly height: number } | undefined {
    return this.#run?.plan.video?.rungs[0];
  }

  /**
   * Begins with what came before: only what comes after its end is handed on.
   * @param units from a keyframe on, of one track.
   */
  seed(units: readonly AccessUnit[]): void {
    const last = units.at(-1);
    if (last === undefined) return;
    this.#from = last.pts;
    for (const unit of units) this.push(unit);
  }

  /** Takes the next access unit of the track. */
  push(unit: AccessUnit): void {
    if (this.#closed !== undefined) return;
    const before = this.#track;
    if (before === undefined || unit.discontinuity === true || !sameMedia(before, unit.track)) this.#startOver(unit);
    this.#track = unit.track;
    if (this.#idle) return;
    this.#recent.push(unit);
    if (this.#run !== undefined) this.#run.push(unit);
    else this.#begin();
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#tick[Symbol.dispose]();
    this.#restartTimer?.[Symbol.dispose]();
    this.#recent.clear();
    this.#run = undefined;
    const ending = [...this.#runs].map((run) => {
      run.kill();
      return run.exited;
    });
    await Promise.all(ending);
    this.#reservation[Symbol.dispose]();
  }

  /** The source broke, or is another: the FFmpeg that there is finishes, another begins with what comes. */
  #startOver(unit: AccessUnit): void {
    this.#run?.finish();
    this.#run = undefined;
    this.#restartTimer?.[Symbol.dispose]();
    this.#restartTimer = undefined;
    this.#idle = false;
    this.#meter.reset();
    this.#recent = new RecentMedia(unit.track.kind === "video", REACH);
  }

  #begin(): void {
    if (this.#restartTimer !== undefined) return;
    const { units } = this.#recent;
    if (units.length < PROBED_FRAMES) return;
    const plan = this.#plan(units);
    if (plan === undefined) {
      this.#idle = true;
      this.#recent.clear();
      const { engine } = this.#options;
      this.#options.onImpossible(engine.problem ?? `this FFmpeg (${engine.binary?.version}) lacks a codec for it`);
      return;
    }
    this.#start(plan, units);
  }

  #plan(units: readonly AccessUnit[]): RunPlan | undefined {
    const track = this.#track as VideoTrack | AudioTrack;
    const { engine } = this.#options;
    if (track.kind === "audio") return planRealtimeAudio(engine, track);
    const frameRate = frameRateOf(track.frameRate, units);
    return planRealtimeVideo(engine, this.#reservation, { track, frameRate }, this.#shed);
  }

  #start(plan: RunPlan, units: readonly AccessUnit[]): void {
    const { engine, clock, logger } = this.#options;
    const { binary, cores, setpriv } = engine;
    if (binary === undefined) return;
    const done = Math.max(this.#from, this.#lastPts);
    const first = units[0] as AccessUnit;
    try {
      const run = new TranscodeRun({
        binary,
        plan,
        seed: units,
        after: plan.video !== undefined && done >= first.pts ? done : undefined,
        stretch: 0,
        cores,
        clock,
        setpriv,
        sink: {
          onAccessUnit: (_from, _rung, unit) => this.#onMade(unit),
          onDropped: (from, count) => {
            if (from === this.#run) logger.warn({ accessUnits: count }, "FFmpeg is too slow for WebRTC viewers");
          },
          onExit: (from, exit) => this.#onExit(from, exit),
        },
      });
      this.#run = run;
      this.#runs.add(run);
      this.#options.onStarted?.();
      this.#meter.reset();
      const { width, height } = plan.video?.rungs[0] ?? {};
      const encoder = plan.video?.encoder.name ?? "libopus";
      logger.info({ pid: run.pid, encoder, width, height }, "FFmpeg is started for WebRTC viewers");
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#idle = true;
      this.#recent.clear();
      this.#options.onImpossible(error.message);
    }
  }

  #onMade(unit: AccessUnit): void {
    // One run may overlap the one before; who watches has that already.
    if (this.#closed !== undefined || unit.pts <= this.#lastPts) return;
    this.#lastPts = unit.pts;
    if (unit.pts > this.#from) this.#options.onUnit(unit);
  }

  #onExit(run: TranscodeRun, exit: FfmpegExit): void {
    this.#runs.delete(run);
    if (run !== this.#run) return;
    this.#run = undefined;
    const { clock, logger } = this.#options;
    const livedMs = clock.now() - run.startedAt;
    const delayMs = this.#policy.failed({ livedMs, madeAnything: run.lastOutputPts !== undefined });
    this.#restarts += 1;
    logger.warn(
      { reason: exit.message, restarts: this.#restarts, delayMs },
      "FFmpeg for WebRTC viewers is started anew",
    );
    if (delayMs === 0) {
      this.#begin();
      return;
    }
    this.#restartTimer = clock.after(delayMs, () => {
      this.#restartTimer = undefined;
      if (!this.#idle) this.#begin();
    });
  }

  #onTick(): void {
    // What has been made need not be made again.
    this.#recent.forgetBefore(this.#recent.hasVideo ? this.#lastPts : this.#lastPts - TICKS_PER_SECOND / 2);
    const run = this.#run;
    if (run === undefined) return;
    const now = this.#options.clock.now();
    if (run.lastOutputPts !== undefined) this.#meter.note(now, run.lastInputPts, run.lastOutputPts);
    if (this.#stalled(run, now)) {
      run.kill();
      return;
    }
    const settled = now - run.startedAt > SETTLED_MS;
    if (settled && run.plan.video !== undefined && this.#meter.isFallingBehind(SLOW_LAG, SLOW_FOR_MS)) {
      this.#shed += 1;
      this.#options.logger.warn(
        { speed: this.#meter.speed },
        "the machine is too slow for WebRTC viewers of this size",
      );
      run.kill();
    }
  }

  #stalled(run: TranscodeRun, now: number): boolean {
    if (now - run.lastInputAt > 1000 || run.lag < TICKS_PER_SECOND) return false;
    if (run.lastOutputAt === undefined) return now - run.startedAt > STARTING_MS;
    return now - run.lastOutputAt > STALLED_MS;
  }
}

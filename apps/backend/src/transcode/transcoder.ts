import { type Clock, type Closable, type CloseReason, Emitter, systemClock } from "@klieg/base";
import { type AccessUnit, type AudioTrack, MediaError, type MediaSink, TICKS_PER_SECOND, type Track, type VideoTrack } from "@klieg/media";
import type { StreamHealth } from "@klieg/protocol";
import type { Logger } from "../ports/logger.ts";
import type { FfmpegExit } from "./ffmpeg-process.ts";
import { DEFAULT_LADDER, type Rung, type RungSpec } from "./ladder.ts";
import { RecentMedia } from "./recent-media.ts";
import { RenditionStitcher, type TranscodedRendition } from "./rendition-stitcher.ts";
import { RestartPolicy } from "./restart-policy.ts";
import { SpeedMeter } from "./speed-meter.ts";
import type { CoreReservation, TranscodeEngine } from "./transcode-engine.ts";
import { makePlan, planRenditions, sameOutput } from "./transcode-plan.ts";
import { PROBED_FRAMES, type RunPlan, TranscodeRun } from "./transcode-run.ts";
import type { VideoEncoder } from "./video-encoder.ts";

export type TranscodeState = NonNullable<StreamHealth["transcode"]>["state"];

/** Takes what a transcoder makes. Called synchronously, access units of each rendition in decoding order. */
export interface TranscodeSink {
  onAccessUnit(rendition: TranscodedRendition, unit: AccessUnit): void;
}

export interface TranscoderEvents {
  state: { readonly state: TranscodeState; readonly previous: TranscodeState; readonly reason: string | undefined };
  /** What is made from now on, highest first; comes before the first access unit of a new one. */
  renditions: { readonly renditions: readonly TranscodedRendition[] };
  /** FFmpeg died, hung, or could not keep up, and is started anew. */
  restart: { readonly restarts: number; readonly reason: string; readonly delayMs: number };
  /** The machine could not keep up: `removed` is no longer made. */
  degraded: { readonly removed: string; readonly reason: string };
  /** There is room again: `added` is made once more. */
  restored: { readonly added: string };
  /** FFmpeg did not keep up: access units were dropped up to a keyframe. */
  dropped: { readonly accessUnits: number };
}

export interface TranscoderTimings {
  /** A running FFmpeg that makes nothing for so long, while media comes, is stalled. */
  readonly stalledMs: number;
  /** The same for one that has made nothing yet. */
  readonly startingMs: number;
  /** How long an FFmpeg may take to finish when another takes over, or the source has ended. */
  readonly drainMs: number;
  /** When a rung that was taken away for lack of speed is tried again; twice as long after each time it failed. */
  readonly restoreMs: number;
}

const DEFAULT_TIMINGS: TranscoderTimings = { stalledMs: 2000, startingMs: 6000, drainMs: 2000, restoreMs: 60_000 };

export interface TranscoderOptions {
  readonly engine: TranscodeEngine;
  readonly sink: TranscodeSink;
  readonly logger: Logger;
  /** Default {@link DEFAULT_LADDER}, of which the machine makes what it has room for; any other ladder is made whole. */
  readonly ladder?: readonly RungSpec[];
  readonly clock?: Clock;
  readonly timings?: Partial<TranscoderTimings>;
}

const TICK_MS = 250;
/** An FFmpeg that comes back may have so much to catch up with; with more, it begins at the newest keyframe. */
const CATCH_UP = 3 * TICKS_PER_SECOND;
/** A source too slow for {@link PROBED_FRAMES} soon is begun with after so much of it. */
const ENOUGH = TICKS_PER_SECOND / 2;
/** Sound alone is transcoded when no video has come for so much of it. */
const SOUND_ALONE = TICKS_PER_SECOND;
const SLOW = 0.95;
const SLOW_LAG = 1.5 * TICKS_PER_SECOND;
/** The timestamps that FFmpeg sees have 33 bits: it is replaced within 26 hours. */
const RETIREMENT = 24 * 3600 * TICKS_PER_SECOND;

/**
 * Makes the renditions of one broadcast (TRN1, TRN4, TRN6): access units of the source in, access units of each
 * rendition out, with the source's timestamps and keyframes. Chooses the ladder, keeps one FFmpeg running, starts it
 * anew when it dies, hangs or falls behind, and makes less where the machine is too slow. It never makes its caller
 * wait, and holds bounded amounts of media whatever FFmpeg does.
 */
export class Transcoder implements MediaSink, Closable {
  readonly events: Emitter<TranscoderEvents>;
  readonly #engine: TranscodeEngine;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #ladder: readonly RungSpec[];
  readonly #timings: TranscoderTimings;
  readonly #reservation: CoreReservation;
  readonly #stitcher: RenditionStitcher;
  readonly #policy: RestartPolicy;
  readonly #meter = new SpeedMeter();
  readonly #tick: Disposable;

  #state: TranscodeState = "off";
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #soundSeen = false;
  #recent = new RecentMedia(false);
  /** Number of the stretch of the timeline, which ends where the source breaks it. */
  #stretch = 0;

  #run: TranscodeRun | undefined;
  /** The run before, finishing what it was given. */
  #draining: TranscodeRun | undefined;
  #drainTimer: Disposable | undefined;
  /** What the new run has made while the one before still finishes. */
  #held: (() => void)[] = [];
  #restartTimer: Disposable | undefined;
  /** Why the current run was killed, where it was this transcoder that did it. */
  #killedFor: string | undefined;
  #plan: RunPlan | undefined;
  #lastPlan: RunPlan | undefined;
  #renditions: readonly TranscodedRendition[] = [];
  #encoder: VideoEncoder | undefined;
  #replanAtKeyframe = false;

  #shed = 0;
  #restoreAt: number | undefined;
  #restoreAfterMs: number;
  #restarts = 0;
  #dropped = 0;
  #lastError: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: TranscoderOptions) {
    this.#engine = options.engine;
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    this.#ladder = options.ladder ?? DEFAULT_LADDER;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#restoreAfterMs = this.#timings.restoreMs;
    this.#encoder = options.engine.encoder;
    this.#reservation = options.engine.reserve();
    this.#policy = new RestartPolicy();
    this.#stitcher = new RenditionStitcher((rendition, unit) => options.sink.onAccessUnit(rendition, unit));
    this.events = new Emitter((error) => this.#logger.error({ err: error }, "a listener of the transcoder failed"));
    this.#tick = this.#clock.every(TICK_MS, () => this.#onTick());
  }

  get state(): TranscodeState {
    return this.#state;
  }

  /** What is being made, highest first. */
  get renditions(): readonly TranscodedRendition[] {
    return this.#renditions;
  }

  /** Process id of the FFmpeg at work. */
  get pid(): number | undefined {
    return this.#run?.pid;
  }

  /** Access units that FFmpeg was too slow for. */
  get droppedAccessUnits(): number {
    return this.#dropped;
  }

  /** Bytes of media that wait for FFmpeg. */
  get queuedBytes(): number {
    return this.#run?.queuedBytes ?? 0;
  }

  health(): NonNullable<StreamHealth["transcode"]> {
    const { binary } = this.#engine;
    const encoder = (this.#run?.plan ?? this.#plan)?.video?.encoder ?? this.#encoder;
    const speed = this.#run === undefined ? undefined : this.#meter.speed;
    return {
      state: this.#state,
      encoder: encoder?.name ?? null,
      hardware: encoder?.hardware ?? false,
      ffmpeg: binary?.version ?? null,
      speed: speed === undefined ? null : Math.round(Math.max(0, speed) * 100) / 100,
      restarts: this.#restarts,
      last_error: this.#lastError ?? null,
    };
  }

  onTrack(track: Track): void {
    if (track.kind === "video") {
      if (this.#video === undefined || track.id === this.#video.id) this.#video = track;
      return;
    }
    if (this.#audio !== undefined && track.id !== this.#audio.id) return;
    const before = this.#audio;
    this.#audio = track;
    if (before !== undefined && before !== track && !sameSound(before, track)) this.#replanAtKeyframe = true;
  }

  onAccessUnit(unit: AccessUnit): void {
    if (this.#closed !== undefined) return;
    const { track } = unit;
    if (track !== this.#video && track !== this.#audio) {
      this.onTrack(track);
      if (track !== this.#video && track !== this.#audio) return; // a second track of its kind
    }
    if (track.kind === "video") this.#onVideo(unit, track);
    else if (!this.#soundSeen) {
      this.#soundSeen = true;
      if (this.#run !== undefined && this.#run.plan.audio === undefined) this.#replanAtKeyframe = true;
    }
    this.#recent.push(unit);
    if (this.#run !== undefined) this.#run.push(unit);
    else this.#begin();
  }

  /**
   * The source is gone, perhaps for good: makes what is left of it, and waits for a source that comes back, with
   * whatever tracks. Resolves when the last access unit has been handed on.
   */
  async drain(): Promise<void> {
    this.#video = undefined;
    this.#audio = undefined;
    this.#soundSeen = false;
    this.#cancelRestart();
    const run = this.#run;
    const exits = [this.#draining, run].flatMap((running) => (running === undefined ? [] : [running.exited]));
    this.#startOver();
    this.#recent = new RecentMedia(false);
    if (this.#state !== "off" && this.#state !== "failed") this.#setState("starting", "the source is gone");
    await Promise.all(exits);
  }

  /** Lets go of FFmpeg at once; what it has not handed over is lost (see {@link drain}). Idempotent. */
  close(reason?: CloseReason): Promise<void> {
    this.#closed ??= this.#close(reason);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(reason: CloseReason | undefined): Promise<void> {
    this.#tick[Symbol.dispose]();
    this.#cancelRestart();
    this.#drainTimer?.[Symbol.dispose]();
    this.#held = [];
    this.#recent.clear();
    const running = [this.#run, this.#draining];
    this.#run = undefined;
    this.#draining = undefined;
    this.#setState("off", reason?.message ?? "closed");
    await Promise.all(running.map((run) => run?.close()));
    this.#reservation[Symbol.dispose]();
    this.events.clear();
  }

  #onVideo(unit: AccessUnit, track: VideoTrack): void {
    const planned = this.#plan?.video?.track;
    const changed = planned !== undefined && !samePicture(planned, track);
    if (unit.discontinuity === true || changed) {
      this.#startOver();
      this.#stretch += 1;
      this.#plan = undefined;
      this.#recent = new RecentMedia(true);
    } else if (this.#plan !== undefined && planned === undefined) {
      // Video has joined what was sound alone.
      this.#startOver();
      this.#recent = new RecentMedia(true);
    } else if (this.#plan === undefined && this.#run === undefined && this.#recent.keyframes.length === 0) {
      this.#recent = new RecentMedia(true);
    }
    if (!unit.keyframe) return;
    this.#stitcher.noteKeyframe(unit.pts);
    const retires = this.#run !== undefined && this.#run.age > RETIREMENT;
    if (!this.#replanAtKeyframe && !retires) return;
    this.#startOver();
    this.#recent = new RecentMedia(true);
  }

  /** Lets the run that there is finish what it was given; another begins with what comes next. */
  #startOver(): void {
    this.#replanAtKeyframe = false;
    this.#plan = undefined;
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.#meter.reset();
    if (this.#draining !== undefined) {
      this.#draining.kill();
      this.#endDrain();
    }
    this.#draining = run;
    run.finish();
    this.#drainTimer = this.#clock.after(this.#timings.drainMs, () => run.kill());
  }

  #endDrain(): void {
    this.#drainTimer?.[Symbol.dispose]();
    this.#drainTimer = undefined;
    this.#draining = undefined;
    const held = this.#held;
    this.#held = [];
    for (const handOn of held) handOn();
  }

  /** Starts FFmpeg when there is enough to start with. */
  #begin(): void {
    if (this.#restartTimer !== undefined) return;
    if (this.#state === "off" || this.#state === "failed") {
      if (this.#engine.binary === undefined || this.#encoder === undefined) {
        this.#lastError ??= this.#engine.problem ?? "there is no FFmpeg";
        if (this.#ladder.length > 0) this.#setState("failed", this.#lastError);
        return;
      }
    }
    const { seed, after } = this.#seed();
    if (seed.length === 0 || !this.#enough(seed)) return;
    this.#plan ??= this.#makePlan(seed);
    if (this.#plan === undefined) return;
    this.#start(this.#plan, seed, after);
  }

  /** What a run would begin with: where the last one stopped, if that is not too long ago, else the newest keyframe. */
  #seed(): { seed: readonly AccessUnit[]; after: number | undefined } {
    const { units } = this.#recent;
    const made = this.#stitcher.lastVideoPts;
    const first = units[0];
    const last = units.at(-1);
    if (first === undefined || last === undefined) return { seed: [], after: undefined };
    const resumes = made !== undefined && first.track.kind === "video" && first.pts <= made;
    if (resumes && this.#plan !== undefined && this.#lastPlan !== undefined && sameOutput(this.#plan, this.#lastPlan) && last.dts - made <= CATCH_UP) {
      return { seed: units, after: made };
    }
    return { seed: this.#recent.fromNewestKeyframe(({ pts }) => made === undefined || pts > made), after: undefined };
  }

  #enough(seed: readonly AccessUnit[]): boolean {
    const span = (seed.at(-1) as AccessUnit).dts - (seed[0] as AccessUnit).dts;
    if (this.#video === undefined) return span >= SOUND_ALONE;
    if (span >= ENOUGH) return true;
    if (this.#audio !== undefined && this.#audio.codec !== "aac" && !this.#soundSeen) return false;
    // The frame rate that nobody has declared is measured.
    const wanted = this.#video.frameRate === undefined ? PROBED_FRAMES * 2 : PROBED_FRAMES;
    let frames = 0;
    for (const { track } of seed) if (track.kind === "video") frames += 1;
    return frames >= wanted;
  }

  #makePlan(seed: readonly AccessUnit[]): RunPlan | undefined {
    const { binary, software } = this.#engine;
    const encoder = this.#encoder;
    if (binary === undefined || encoder === undefined || software === undefined) return undefined;
    const made = makePlan({
      binary,
      encoder,
      ladder: this.#ladder,
      video: this.#video,
      audio: this.#soundSeen ? this.#audio : undefined,
      seed,
      cores: this.#reservation.available,
      pixelsPerCoreSecond: this.#engine.pixelsPerCoreSecond,
      shed: this.#shed,
    });
    this.#reservation.take(made.cost);
    if (made.problem !== undefined) this.#lastError = made.problem;
    if (made.plan === undefined) {
      this.#announce([]);
      // Nothing will change that before the source does.
      this.#setState(made.problem === undefined ? "off" : "failed", made.problem);
      return undefined;
    }
    if (made.leftOut.length > 0) {
      this.#logger.info({ leftOut: made.leftOut, cores: this.#reservation.available }, "the machine has no room for the whole ladder");
    }
    return made.plan;
  }

  #start(plan: RunPlan, seed: readonly AccessUnit[], after: number | undefined): void {
    const { binary, cores, setpriv } = this.#engine;
    if (binary === undefined) return;
    this.#announce(planRenditions(plan));
    this.#setState(this.#restarts > 0 && this.#lastPlan !== undefined ? "restarting" : "starting", undefined);
    this.#lastPlan = plan;
    this.#meter.reset();
    this.#killedFor = undefined;
    const stretch = this.#stretch;
    const renditions = this.#renditions;
    try {
      this.#run = new TranscodeRun({
        binary,
        plan,
        seed,
        after,
        cores,
        setpriv,
        clock: this.#clock,
        sink: {
          onAccessUnit: (run, rung, unit) => this.#onMade(run, renditionOf(renditions, rung), unit, stretch),
          onDropped: (run, count) => this.#onDropped(run, count),
          onExit: (run, exit) => this.#onExit(run, exit),
        },
      });
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#plan = undefined;
      this.#lastError = `FFmpeg cannot be given this source: ${error.message}`;
      this.#setState("failed", this.#lastError);
      return;
    }
    this.#logger.info(
      { pid: this.#run.pid, renditions: renditions.map(({ name }) => name), encoder: plan.video?.encoder.name, resumed: after !== undefined },
      "FFmpeg is started",
    );
  }

  #onMade(run: TranscodeRun, rendition: TranscodedRendition | undefined, unit: AccessUnit, stretch: number): void {
    if (rendition === undefined || (run !== this.#run && run !== this.#draining)) return;
    if (run === this.#run && this.#draining !== undefined) {
      this.#held.push(() => this.#stitcher.push(rendition, unit, stretch));
      return;
    }
    if (run === this.#run && this.#state !== "running") this.#setState("running", undefined);
    this.#stitcher.push(rendition, unit, stretch);
  }

  #onDropped(run: TranscodeRun, accessUnits: number): void {
    if (run !== this.#run) return;
    this.#dropped += accessUnits;
    this.events.emit("dropped", { accessUnits });
  }

  #onExit(run: TranscodeRun, exit: FfmpegExit): void {
    if (run === this.#draining) {
      this.#endDrain();
      return;
    }
    if (run !== this.#run) return;
    this.#run = undefined;
    this.#meter.reset();
    const reason = this.#killedFor ?? `FFmpeg ${exit.message}`;
    const now = this.#clock.now();
    const delayMs = this.#policy.failed({ livedMs: now - run.startedAt, madeAnything: run.lastOutputPts !== undefined });
    this.#lastError = reason;
    this.#distrustHardware(run, reason);
    this.#restart(reason, delayMs);
  }

  #restart(reason: string, delayMs: number): void {
    this.#restarts += 1;
    this.#logger.warn({ reason, restarts: this.#restarts, delayMs }, "FFmpeg is started anew");
    this.#setState(this.#policy.givenUp ? "failed" : "restarting", reason);
    this.events.emit("restart", { restarts: this.#restarts, reason, delayMs });
    if (delayMs === 0) {
      this.#begin();
      return;
    }
    this.#restartTimer = this.#clock.after(delayMs, () => {
      this.#restartTimer = undefined;
      this.#begin();
    });
  }

  /** A hardware encoder that has died twice, or before it made anything, gives way to software. */
  #distrustHardware(run: TranscodeRun, reason: string): void {
    const encoder = run.plan.video?.encoder;
    if (encoder === undefined || !encoder.hardware || this.#encoder !== encoder) return;
    if (run.lastOutputPts !== undefined && this.#policy.inARow < 2) return;
    this.#logger.warn({ encoder: encoder.name, software: this.#engine.software?.name, reason }, "software encodes instead of hardware");
    this.#engine.reportHardwareFailure(encoder, reason);
    this.#encoder = this.#engine.software;
    this.#plan = undefined;
  }

  #onTick(): void {
    const made = this.#stitcher.lastVideoPts;
    if (made !== undefined && this.#draining === undefined) this.#recent.forgetBefore(made);
    const run = this.#run;
    if (run === undefined) return;
    const now = this.#clock.now();
    if (run.lastOutputPts !== undefined) this.#meter.note(now, run.lastInputPts, run.lastOutputPts);
    if (this.#stalled(run, now)) {
      this.#killStalled(run);
    } else if (this.#tooSlow(run)) {
      this.#degrade(run);
    } else {
      this.#restore(run, now);
    }
  }

  #stalled(run: TranscodeRun, now: number): boolean {
    if (now - run.lastInputAt > 1000 || run.lag < TICKS_PER_SECOND) return false;
    const { stalledMs, startingMs } = this.#timings;
    if (run.lastOutputAt === undefined) return now - run.startedAt > startingMs;
    return now - run.lastOutputAt > stalledMs;
  }

  #killStalled(run: TranscodeRun): void {
    const began = run.lastOutputAt === undefined;
    this.#killedFor = began ? "FFmpeg began to make nothing" : "FFmpeg stopped making anything";
    // One that never began to may have been given too much; if it was the encoder's fault, software takes over first.
    if (began && run.plan.video?.encoder.hardware === false && run.plan.video.rungs.length > 1) this.#shedTop(run, this.#killedFor);
    run.kill();
  }

  #tooSlow(run: TranscodeRun): boolean {
    if (run.plan.video === undefined || !this.#meter.settled || run.lag < SLOW_LAG) return false;
    const { speed, inputSpeed } = this.#meter;
    return speed !== undefined && inputSpeed !== undefined && speed < SLOW * inputSpeed;
  }

  #degrade(run: TranscodeRun): void {
    const reason = `FFmpeg makes ${this.#meter.speed?.toFixed(2)} seconds of media a second`;
    this.#shedTop(run, reason);
    this.#lastError = reason;
    this.#run = undefined;
    run.kill();
    this.#restart(reason, 0);
  }

  #shedTop(run: TranscodeRun, reason: string): void {
    const removed = run.plan.video?.rungs[0]?.name;
    if (removed === undefined) return;
    // Tried again later, and later still if it was not long ago that it was.
    const now = this.#clock.now();
    if (this.#restoreAt !== undefined) this.#restoreAfterMs = Math.min(this.#restoreAfterMs * 2, this.#timings.restoreMs * 16);
    this.#restoreAt = now + this.#restoreAfterMs;
    this.#shed += 1;
    this.#plan = undefined;
    this.#logger.warn({ removed, reason }, "the machine is too slow for this rendition");
    this.events.emit("degraded", { removed, reason });
  }

  #restore(run: TranscodeRun, now: number): void {
    if (this.#shed === 0 || this.#restoreAt === undefined || now < this.#restoreAt || run.plan.video === undefined) return;
    this.#restoreAt = now + this.#restoreAfterMs;
    this.#shed -= 1;
    this.#replanAtKeyframe = true;
    this.#logger.info({}, "a rendition that was too much is tried again");
  }

  #announce(renditions: readonly TranscodedRendition[]): void {
    const before = this.#renditions;
    if (before.length === renditions.length && before.every((one, i) => same(one, renditions[i]))) return;
    this.#renditions = renditions;
    this.events.emit("renditions", { renditions });
    const added = renditions[0];
    if (before.length > 0 && added !== undefined && renditions.length > before.length && this.#restoreAt !== undefined) {
      this.events.emit("restored", { added: added.name });
    }
  }

  #cancelRestart(): void {
    this.#restartTimer?.[Symbol.dispose]();
    this.#restartTimer = undefined;
  }

  #setState(state: TranscodeState, reason: string | undefined): void {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.#logger.info({ state, previous, reason }, "the transcoder's state changed");
    this.events.emit("state", { state, previous, reason });
  }
}

function renditionOf(renditions: readonly TranscodedRendition[], rung: Rung | undefined): TranscodedRendition | undefined {
  return renditions.find((rendition) => rendition.rung === rung);
}

function same(a: TranscodedRendition, b: TranscodedRendition | undefined): boolean {
  return b !== undefined && a.name === b.name && a.encoder === b.encoder && a.bitrate === b.bitrate;
}

function samePicture(a: VideoTrack, b: VideoTrack): boolean {
  return a === b || (a.codec === b.codec && a.width === b.width && a.height === b.height && a.codecString === b.codecString);
}

function sameSound(a: AudioTrack, b: AudioTrack): boolean {
  return a.codec === b.codec && a.sampleRate === b.sampleRate && a.channels === b.channels;
}

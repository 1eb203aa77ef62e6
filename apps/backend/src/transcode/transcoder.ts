import { type Clock, type Closable, type CloseReason, Emitter, systemClock } from "@klieg/base";
import type { FfmpegExit, Rung, VideoEncoder } from "@klieg/ffmpeg";
import { RestartPolicy } from "@klieg/ffmpeg";
import {
  type AccessUnit,
  MediaError,
  type MediaSink,
  TICKS_PER_SECOND,
  type Track,
  type VideoTrack,
} from "@klieg/media";
import type { Logger } from "../ports/logger.ts";
import { DEFAULT_LADDER, type RungSpec } from "./ladder.ts";
import { LadderLimit } from "./ladder-limit.ts";
import { RecentMedia } from "./recent-media.ts";
import { RenditionStitcher, type TranscodedRendition } from "./rendition-stitcher.ts";
import { RunRelay } from "./run-relay.ts";
import { isEnough, type RunSeed, seedOf } from "./run-seed.ts";
import { RunWatch, WATCH_MS } from "./run-watch.ts";
import { isSmaller, SourceTracks, sameMedia } from "./source-tracks.ts";
import type { CoreReservation, TranscodeEngine } from "./transcode-engine.ts";
import { makePlan, type PlanResult, planRenditions, rungsToShed } from "./transcode-plan.ts";
import type { RunPlan, TranscodeRun } from "./transcode-run.ts";
import {
  DEFAULT_TIMINGS,
  type TranscodeHealth,
  type TranscoderEvents,
  type TranscoderTimings,
  type TranscodeSink,
  type TranscodeState,
} from "./transcoder-events.ts";

export interface TranscoderOptions {
  readonly engine: TranscodeEngine;
  readonly sink: TranscodeSink;
  readonly logger: Logger;
  /** Default {@link DEFAULT_LADDER}, of which the machine makes what it has room for; any other ladder is made whole. */
  readonly ladder?: readonly RungSpec[];
  readonly clock?: Clock;
  readonly timings?: Partial<TranscoderTimings>;
  /**
   * Whether the source is one that changes the size of its picture by itself, as WebRTC senders do when their network or
   * processor has too much to do. Renditions then keep theirs. Default: it is not.
   */
  readonly adaptsItsSize?: () => boolean;
  /**
   * So many seconds from one keyframe of the renditions to the next where they need not be where the source has its own;
   * undefined where they must.
   */
  readonly keyframeSeconds?: (track: VideoTrack) => number | undefined;
}

/** The renditions that FFmpeg is less far with may be so much behind the newest. */
const KEPT_BEHIND = TICKS_PER_SECOND;
/** A smaller ladder is to leave some room for what is to be caught up with. */
const SPARE = 0.9;
/** The timestamps that FFmpeg sees have 33 bits, a little over 26 hours: it is relieved before. */
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
  readonly #adaptsItsSize: () => boolean;
  readonly #keyframeSeconds: (track: VideoTrack) => number | undefined;
  readonly #tracks = new SourceTracks();
  readonly #stitcher: RenditionStitcher;
  readonly #relay: RunRelay;
  readonly #policy = new RestartPolicy();
  readonly #limit: LadderLimit;
  readonly #watch: RunWatch;
  readonly #tick: Disposable;

  #state: TranscodeState = "off";
  /** When the last access unit of sound was due; undefined where there was none since the last start. */
  #lastSoundDts: number | undefined;
  /** Sound is not wanted before the next start. */
  #muted = false;
  #recent = new RecentMedia(false);
  /** Number of the stretch of the timeline; one ends where the source breaks it. */
  #stretch = 0;

  /** What is to be made; undefined before it is decided. */
  #plan: RunPlan | undefined;
  /** It is decided, until something changes, that nothing is to be made. */
  #idle = false;
  /** What the run before was to make. */
  #lastPlan: RunPlan | undefined;
  #leftOut: readonly string[] = [];
  #renditions: readonly TranscodedRendition[] = [];
  #encoder: VideoEncoder | undefined;
  #replanAtKeyframe = false;
  #restartTimer: Disposable | undefined;
  /** Why the current run was killed, where it was this transcoder that did it. */
  #killedFor: string | undefined;

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
    this.#limit = new LadderLimit(this.#clock.now(), this.#timings.restoreMs);
    this.#adaptsItsSize = options.adaptsItsSize ?? (() => false);
    this.#keyframeSeconds = options.keyframeSeconds ?? (() => undefined);
    this.#encoder = options.engine.encoder;
    this.#reservation = options.engine.reserve();
    this.#stitcher = new RenditionStitcher((rendition, unit) => options.sink.onAccessUnit(rendition, unit));
    this.#relay = new RunRelay(this.#clock, this.#timings.drainMs, {
      onAccessUnit: (run, rung, unit) => this.#onMade(run, rung, unit),
      onDropped: (accessUnits) => this.#onDropped(accessUnits),
      onDied: (run, exit) => this.#onDied(run, exit),
    });
    this.events = new Emitter((error) => this.#logger.error({ err: error }, "a listener of the transcoder failed"));
    this.#watch = new RunWatch(this.#clock.now(), this.#timings);
    this.#tick = this.#clock.every(WATCH_MS, () => this.#onTick());
  }

  get state(): TranscodeState {
    return this.#state;
  }

  /** What is being made, highest first, audio last. */
  get renditions(): readonly TranscodedRendition[] {
    return this.#renditions;
  }

  /** Process id of the FFmpeg at work. */
  get pid(): number | undefined {
    return this.#relay.current?.pid;
  }

  /** Access units that FFmpeg was too slow for. */
  get droppedAccessUnits(): number {
    return this.#dropped;
  }

  /** Bytes of media that wait for FFmpeg. */
  get queuedBytes(): number {
    return this.#relay.current?.queuedBytes ?? 0;
  }

  health(): TranscodeHealth {
    const encoder = this.#state === "off" ? undefined : (this.#plan?.video?.encoder ?? this.#encoder);
    const speed = this.#relay.current === undefined ? undefined : this.#watch.speed;
    return {
      state: this.#state,
      encoder: encoder?.name ?? null,
      hardware: encoder?.hardware ?? false,
      ffmpeg: this.#engine.binary?.version ?? null,
      speed: speed === undefined ? null : Math.round(Math.max(0, speed) * 100) / 100,
      restarts: this.#restarts,
      last_error: this.#lastError ?? null,
    };
  }

  onTrack(track: Track): void {
    this.#take(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    if (this.#closed !== undefined) return;
    const { track } = unit;
    if (!this.#take(track)) return;
    if (track.kind === "video") this.#onVideo(unit, track);
    else this.#onSound(unit);
    if (this.#idle || (this.#muted && track.kind === "audio")) return;
    this.#recent.push(unit);
    const { current } = this.#relay;
    if (current !== undefined) current.push(unit);
    else this.#begin();
  }

  /**
   * The source is gone, perhaps for good: makes what is left of it, and waits for a source that comes back, with
   * whatever tracks. Resolves when the last access unit has been handed on, in `drainMs` at the latest.
   */
  async drain(): Promise<void> {
    this.#tracks.clear();
    this.#cancelRestart();
    this.#startOver(false);
    if (this.#state === "running" || this.#state === "restarting") this.#setState("starting", "the source is gone");
    await this.#relay.settled();
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
    this.#recent.clear();
    this.#setState("off", reason?.message ?? "closed by its owner");
    await this.#relay.close();
    this.#reservation[Symbol.dispose]();
    this.events.clear();
  }

  /** Whether a track is one of those that something is made of. */
  #take(track: Track): boolean {
    const news = this.#tracks.take(track);
    if (news === "new" && track.kind === "video") this.#idle = false;
    // A change of the picture shows when its first frame comes.
    if (news === "changed" && track.kind === "audio") this.#replan();
    return news !== "ignored";
  }

  #onVideo(unit: AccessUnit, track: VideoTrack): void {
    const planned = this.#plan?.video?.track;
    const changed = planned !== undefined && !sameMedia(planned, track) && !this.#isAdaptation(planned, track);
    if (unit.discontinuity === true || changed) {
      this.#stretch += 1;
      this.#tracks.forgetFrameRate();
      this.#startOver(true);
    } else if (!this.#recent.hasVideo) {
      this.#startOver(true); // there was nothing yet, or sound alone
    }
    if (!unit.keyframe) return;
    this.#stitcher.noteKeyframe(unit.pts);
    const age = this.#relay.current?.age ?? 0;
    if (this.#replanAtKeyframe || age > RETIREMENT) this.#startOver(true);
  }

  /** FFmpeg scales whatever comes to the size that was planned; what is larger deserves a ladder of its own. */
  #isAdaptation(planned: VideoTrack, track: VideoTrack): boolean {
    return this.#adaptsItsSize() && isSmaller(track, planned);
  }

  #onSound(unit: AccessUnit): void {
    if (unit.discontinuity === true && this.#lastSoundDts !== undefined) {
      if (this.#recent.hasVideo) {
        // FFmpeg would fill the hole with silence, however long it is. The video's own break is not far.
        this.#muted = true;
        this.#replanAtKeyframe = true;
      } else {
        this.#stretch += 1;
        this.#startOver(false);
      }
    }
    this.#lastSoundDts = unit.dts;
    if (!this.#tracks.hear() || !this.#tracks.wantsAac) return;
    const { current } = this.#relay;
    if (this.#idle || (current !== undefined && current.plan.audio === undefined)) this.#replan();
  }

  /** The tracks have changed: what is made may have to. */
  #replan(): void {
    this.#idle = false;
    // Sound has no keyframes to wait for.
    if (this.#recent.hasVideo) this.#replanAtKeyframe = true;
    else this.#startOver(false);
  }

  /** Lets the run that there is finish what it was given; another begins with what comes next. */
  #startOver(hasVideo: boolean): void {
    this.#replanAtKeyframe = false;
    this.#plan = undefined;
    this.#idle = false;
    this.#muted = false;
    this.#lastSoundDts = undefined;
    this.#recent = new RecentMedia(hasVideo);
    this.#watch.reset();
    this.#relay.relieve();
  }

  /** Starts FFmpeg when there is enough to start with. */
  #begin(): void {
    const { units, hasVideo } = this.#recent;
    if (this.#idle || this.#restartTimer !== undefined || !isEnough(units, hasVideo, this.#tracks)) return;
    this.#plan ??= this.#decide();
    if (this.#plan === undefined) return;
    const names = this.#plan.video?.rungs.map(({ name }) => name) ?? [];
    const made = this.#stitcher.lastVideoPtsOf(names) ?? this.#stitcher.lastVideoPts;
    const seed = seedOf(this.#recent, this.#plan, { plan: this.#lastPlan, made });
    if (isEnough(seed.units, hasVideo, this.#tracks)) this.#start(this.#plan, seed);
  }

  /** Decides what to make of the source; undefined where that is nothing. */
  #decide(): RunPlan | undefined {
    const result = this.#planNow();
    if (result === undefined) {
      this.#rest();
      if (this.#ladder.length > 0 || this.#tracks.wantsAac) this.#fail(this.#engine.problem ?? "there is no FFmpeg");
      return undefined;
    }
    this.#leftOut = result.leftOut;
    this.#reservation.take(result.cost);
    if (result.problem !== undefined) this.#lastError = result.problem;
    if (result.plan === undefined) {
      this.#rest();
      this.#announce([]);
      this.#setState(result.failed ? "failed" : "off", result.problem);
      return undefined;
    }
    if (result.leftOut.length > 0) {
      const cores = Math.round(this.#reservation.available * 10) / 10;
      this.#logger.info({ leftOut: result.leftOut, cores }, "the machine has no room for the whole ladder");
    }
    return result.plan;
  }

  /** There is nothing to do before something changes, and so nothing to hold on to. */
  #rest(): void {
    this.#idle = true;
    this.#recent.clear();
  }

  #planNow(): PlanResult | undefined {
    const { binary } = this.#engine;
    if (binary === undefined || this.#encoder === undefined) return undefined;
    const { video: track, sound } = this.#tracks;
    const frameRate = this.#tracks.frameRate(this.#recent.units);
    return makePlan({
      binary,
      encoder: this.#encoder,
      ladder: this.#ladder,
      video: track === undefined || frameRate === undefined ? undefined : { track, frameRate },
      keyframeSeconds: track && this.#keyframeSeconds(track),
      audio: sound,
      cores: this.#reservation.available,
      pixelsPerCoreSecond: this.#engine.pixelsPerCoreSecond,
      shed: this.#limit.shed,
    });
  }

  #start(plan: RunPlan, { units: seed, after }: RunSeed): void {
    const { binary, cores, setpriv } = this.#engine;
    if (binary === undefined) return;
    this.#announce(planRenditions(plan));
    if (this.#state === "off" || (this.#state === "failed" && !this.#policy.givenUp))
      this.#setState("starting", undefined);
    this.#lastPlan = plan;
    this.#watch.reset();
    this.#killedFor = undefined;
    let run: TranscodeRun;
    try {
      run = this.#relay.start({ binary, plan, seed, after, cores, setpriv, stretch: this.#stretch });
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#rest();
      this.#plan = undefined;
      this.#fail(`FFmpeg cannot be given this source: ${error.message}`);
      return;
    }
    const renditions = this.#renditions.map(({ name }) => name);
    const encoder = plan.video?.encoder.name;
    this.#logger.info({ pid: run.pid, renditions, encoder, resumes: after !== undefined }, "FFmpeg is started");
  }

  #onMade(run: TranscodeRun, rung: Rung | undefined, unit: AccessUnit): void {
    const renditions = run.plan === this.#plan ? this.#renditions : planRenditions(run.plan);
    const rendition = renditions.find((known) => known.rung === rung);
    if (rendition === undefined) return;
    if (run === this.#relay.current && this.#state !== "running") this.#setState("running", undefined);
    this.#stitcher.push(rendition, unit, run.stretch, run.plan.keyframeSeconds !== undefined);
  }

  #onDropped(accessUnits: number): void {
    this.#dropped += accessUnits;
    this.events.emit("dropped", { accessUnits });
  }

  #onDied(run: TranscodeRun, exit: FfmpegExit): void {
    if (this.#closed !== undefined) return;
    this.#watch.reset();
    const reason = this.#killedFor ?? `FFmpeg ${exit.message}`;
    const livedMs = this.#clock.now() - run.startedAt;
    const delayMs = this.#policy.failed({ livedMs, madeAnything: run.lastOutputPts !== undefined });
    this.#distrustHardware(run, reason);
    this.#restart(reason, delayMs);
  }

  #restart(reason: string, delayMs: number): void {
    this.#restarts += 1;
    this.#lastError = reason;
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

  /** A hardware encoder that has died twice in a row, or before it made anything, gives way to software. */
  #distrustHardware(run: TranscodeRun, reason: string): void {
    const encoder = run.plan.video?.encoder;
    const { software } = this.#engine;
    if (encoder === undefined || !encoder.hardware || this.#encoder !== encoder) return;
    if (run.lastOutputPts !== undefined && this.#policy.inARow < 2) return;
    this.#logger.warn({ encoder: encoder.name, software: software?.name, reason }, "software takes over from hardware");
    this.#engine.reportHardwareFailure(encoder, reason);
    this.#encoder = software;
    this.#plan = undefined;
  }

  #onTick(): void {
    const made = this.#stitcher.lastVideoPts;
    if (made !== undefined) this.#recent.forgetBefore(made - KEPT_BEHIND);
    const now = this.#clock.now();
    if (this.#limit.isDue(now)) this.#review();
    const run = this.#relay.current;
    const verdict = this.#watch.look(now, run);
    if (run === undefined || this.#killedFor !== undefined) return; // its end is on its way
    if (verdict === "stalled") this.#killStalled(run);
    else if (verdict === "slow") this.#degrade(run);
  }

  #killStalled(run: TranscodeRun): void {
    const { video } = run.plan;
    const began = run.lastOutputAt !== undefined;
    this.#killedFor = began ? "FFmpeg stopped making anything" : "FFmpeg made nothing";
    // Software that does not even begin has been given too much.
    if (!began && video?.encoder.hardware === false && video.rungs.length > 1) this.#shedTop(video, 1, this.#killedFor);
    run.kill();
  }

  #degrade(run: TranscodeRun): void {
    const speed = Math.min(1, Math.max(0, this.#watch.speed ?? 1));
    const reason = `FFmpeg makes ${speed.toFixed(2)} seconds of media a second`;
    const { video } = run.plan;
    if (video !== undefined) this.#shedTop(video, rungsToShed(video, speed * SPARE), reason);
    this.#relay.dismiss();
    this.#restart(reason, 0);
  }

  #shedTop(video: NonNullable<RunPlan["video"]>, count: number, reason: string): void {
    const names = video.rungs.slice(0, count).map(({ name }) => name);
    this.#limit.lower(this.#clock.now(), names);
    this.#plan = undefined;
    this.#idle = false;
    this.#logger.warn({ removed: names, reason }, "the machine is too slow for these renditions");
    for (const removed of names) this.events.emit("degraded", { removed, reason });
  }

  /** Asks whether more can be made than is. */
  #review(): void {
    if (this.#limit.raise()) {
      this.#logger.info({ stillShed: this.#limit.shed }, "a rendition that was too much is tried again");
      this.#replan();
      return;
    }
    if (this.#leftOut.length === 0 || this.#tracks.video === undefined) return;
    // Other transcodes may have ended.
    const possible = this.#planNow()?.plan?.video?.rungs.length ?? 0;
    if (possible > (this.#plan?.video?.rungs.length ?? 0)) this.#replan();
  }

  #announce(renditions: readonly TranscodedRendition[]): void {
    const before = this.#renditions;
    this.#renditions = renditions;
    if (before.length === renditions.length && before.every((one, i) => sameRendition(one, renditions[i]))) return;
    this.events.emit("renditions", { renditions });
    for (const added of this.#limit.returned(renditions)) {
      this.#logger.info({ added }, "the machine has room for this rendition again");
      this.events.emit("restored", { added });
    }
  }

  #fail(reason: string): void {
    this.#lastError = reason;
    this.#announce([]);
    this.#setState("failed", reason);
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

function sameRendition(a: TranscodedRendition, b: TranscodedRendition | undefined): boolean {
  return b !== undefined && a.name === b.name && a.encoder === b.encoder && a.bitrate === b.bitrate;
}

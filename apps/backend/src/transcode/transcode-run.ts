import type { Clock } from "@klieg/base";
import type { EncodePreset, FfmpegBinary, Rung, VideoEncoder } from "@klieg/ffmpeg";
import {
  type AudioPlan,
  type FfmpegExit,
  FfmpegProcess,
  RenditionOutput,
  type TranscodeInput,
  transcodeArguments,
} from "@klieg/ffmpeg";
import {
  type AccessUnit,
  type AudioTrack,
  MediaError,
  type MediaWarning,
  TICKS_PER_SECOND,
  type VideoTrack,
} from "@klieg/media";
import { InputLane } from "./input-lane.ts";
import { feedInputs, SourceFeed } from "./source-feed.ts";

/** What one FFmpeg is to make of which tracks. At least one of the two. */
export interface RunPlan {
  readonly video:
    | {
        readonly track: VideoTrack;
        readonly frameRate: number;
        /** Highest first; at least one. */
        readonly rungs: readonly Rung[];
        readonly encoder: VideoEncoder;
        readonly preset: EncodePreset;
      }
    | undefined;
  /** Seconds from one keyframe to the next; absent: where the source has its own. */
  readonly keyframeSeconds?: number;
  /**
   * For WebRTC: every frame is decoded and handed on as soon as it can be, in H.264 constrained baseline.
   */
  readonly realtime?: boolean;
  readonly audio: ({ readonly track: AudioTrack } & AudioPlan) | undefined;
}

/** Told of what becomes of a run. Called synchronously. */
export interface RunSink {
  onAccessUnit(run: TranscodeRun, rung: Rung | undefined, unit: AccessUnit): void;
  /** FFmpeg did not keep up: video was dropped up to a keyframe. @param count access units. */
  onDropped(run: TranscodeRun, count: number): void;
  /** Once; after the last access unit. */
  onExit(run: TranscodeRun, exit: FfmpegExit): void;
}

export interface RunOptions {
  readonly binary: FfmpegBinary;
  readonly plan: RunPlan;
  /** What it begins with: from a keyframe on. At least one. */
  readonly seed: readonly AccessUnit[];
  /** Presentation time, 90 kHz ticks, after which frames are wanted: those up to it are only decoded. */
  readonly after: number | undefined;
  /** Number of the stretch of the source's timeline that it is for. */
  readonly stretch: number;
  readonly cores: number;
  readonly clock: Clock;
  readonly setpriv: string | undefined;
  readonly sink: RunSink;
}

/** What FFmpeg sees begins at one second: encoders of sound put out a little before their first input. */
const LEAD = TICKS_PER_SECOND;
/** FFmpeg is to look at so many frames before it begins. */
export const PROBED_FRAMES = 5;
const PROBE_OVERHEAD = 1.05;
const PROBE_EXTRA_BYTES = 4096;

/**
 * One FFmpeg at work: takes access units, never blocks and never holds more than three seconds of them, hands back
 * those of the renditions. Lives until its input is finished, it is killed, or it dies.
 */
export class TranscodeRun implements AsyncDisposable {
  readonly plan: RunPlan;
  readonly stretch: number;
  /** {@link Clock.now} at the start. */
  readonly startedAt: number;
  readonly #process: FfmpegProcess;
  readonly #feed: SourceFeed;
  readonly #output: RenditionOutput;
  readonly #sink: RunSink;
  readonly #clock: Clock;
  readonly #base: number;
  readonly #lanes: readonly InputLane[];
  #waitingForKeyframe = false;
  #finishing = false;
  #pumping = false;
  #malformed = 0;
  #firstPts: number | undefined;
  #lastInputPts: number;
  #lastOutputPts: number | undefined;
  #lastInputAt: number;
  #lastOutputAt: number | undefined;

  /** @throws MediaError when FFmpeg's input cannot carry a track. */
  constructor(options: RunOptions) {
    const { plan, seed, sink, clock } = options;
    const first = seed[0] as AccessUnit;
    this.plan = plan;
    this.stretch = options.stretch;
    this.#sink = sink;
    this.#clock = clock;
    this.startedAt = clock.now();
    this.#lastInputAt = this.startedAt;
    this.#lastInputPts = first.pts;
    this.#base = first.dts - LEAD;
    const { video, audio } = plan;
    const prompt = plan.realtime === true;
    const inputs = withProbe(feedInputs(video?.track, audio?.track, prompt), seed);
    const args = transcodeArguments(
      options.binary,
      {
        video: video && {
          codec: video.track.codec,
          pixelRate: video.track.width * video.track.height * video.frameRate,
          rungs: video.rungs,
          encoder: video.encoder,
          preset: video.preset,
          firstPts: options.after === undefined ? undefined : options.after + 1 - this.#base,
          keyframes: plan.keyframeSeconds,
          constrainedBaseline: prompt,
        },
        audio,
      },
      inputs,
      options.cores,
    );
    this.#lanes = inputs.map(({ fd, carries }) => new InputLane(fd, carries.includes("video")));
    this.#output = new RenditionOutput(video?.rungs ?? [], this.#base, {
      onAccessUnit: (rung, unit) => this.#onAccessUnit(rung, unit),
    });
    // What the feed writes before there is a process is its headers.
    const headers: [fd: number, bytes: Uint8Array][] = [];
    let process: FfmpegProcess | undefined;
    this.#feed = new SourceFeed(video?.track, audio?.track, this.#base, prompt, (fd, bytes) => {
      if (process === undefined) headers.push([fd, bytes]);
      else process.write(fd, bytes);
    });
    process = new FfmpegProcess({
      path: options.binary.path,
      args,
      inputFds: inputs.map(({ fd }) => fd),
      clock,
      setpriv: options.setpriv,
      onOutput: (bytes) => this.#output.push(bytes),
      onDrain: () => this.#pump(),
      onExit: (exit) => this.#onExit(exit),
    });
    this.#process = process;
    for (const [fd, bytes] of headers) process.write(fd, bytes);
    const last = seed.at(-1) as AccessUnit;
    for (const lane of this.#lanes) lane.allow(last.dts - first.dts);
    for (const unit of seed) if (this.#accept(unit)) this.#enqueue(unit);
    this.#pump();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves when FFmpeg is gone and has handed over everything. */
  get exited(): Promise<FfmpegExit> {
    return this.#process.exited;
  }

  /** Presentation time of the newest access unit that came in. */
  get lastInputPts(): number {
    return this.#lastInputPts;
  }

  /** Presentation time up to which every rendition has been made; undefined before that. */
  get lastOutputPts(): number | undefined {
    return this.#lastOutputPts;
  }

  /** {@link Clock.now} when the newest access unit came in. */
  get lastInputAt(): number {
    return this.#lastInputAt;
  }

  /** {@link Clock.now} when something last came out. */
  get lastOutputAt(): number | undefined {
    return this.#lastOutputAt;
  }

  /** Media that FFmpeg was given and has not made, 90 kHz ticks. */
  get lag(): number {
    return this.#lastInputPts - (this.#lastOutputPts ?? this.#firstPts ?? this.#lastInputPts);
  }

  /** Media since the run began, 90 kHz ticks; FFmpeg's timestamps have 33 bits. */
  get age(): number {
    return this.#lastInputPts - this.#base;
  }

  get queuedBytes(): number {
    return this.#lanes.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Access units that could not be written because they were malformed. */
  get malformed(): number {
    return this.#malformed;
  }

  /** The last thing that FFmpeg complained of; empty where it has not. */
  get lastWords(): string {
    return this.#process.lastWords;
  }

  /** What was last wrong with the stream that FFmpeg writes. */
  get damage(): MediaWarning | undefined {
    return this.#output.damage;
  }

  /** Takes the next access unit of the source; those of tracks that it makes nothing of are passed over. */
  push(unit: AccessUnit): void {
    if (this.#finishing || !this.#accept(unit)) return;
    if (this.#waitingForKeyframe && unit.track.kind === "video") {
      if (!unit.keyframe) {
        this.#sink.onDropped(this, 1);
        return;
      }
      this.#waitingForKeyframe = false;
    }
    const lane = this.#enqueue(unit);
    this.#pump();
    if (!lane.isOverfull(unit)) return;
    const { dropped, needsKeyframe } = lane.drop();
    if (lane.hasVideo) this.#waitingForKeyframe = needsKeyframe;
    this.#sink.onDropped(this, dropped);
  }

  /** The source has ended, or another run takes over: FFmpeg makes what it has been given, and exits. */
  finish(): void {
    this.#finishing = true;
    this.#pump();
  }

  /** Ends FFmpeg at once. What it has not handed over is lost. */
  kill(): void {
    this.#finishing = true;
    this.#clear();
    this.#process.kill();
  }

  /** Ends the input and then FFmpeg, at the latest after 1.5 s. */
  async close(): Promise<void> {
    this.#finishing = true;
    this.#clear();
    await this.#process.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(unit: AccessUnit): boolean {
    const { video, audio } = this.plan;
    const leads = unit.track.kind === "video" || video === undefined;
    if (leads) {
      this.#firstPts ??= unit.pts;
      this.#lastInputPts = Math.max(this.#lastInputPts, unit.pts);
      this.#lastInputAt = this.#clock.now();
    }
    return unit.track.kind === "video" ? video !== undefined : audio !== undefined;
  }

  #enqueue(unit: AccessUnit): InputLane {
    const isVideo = unit.track.kind === "video";
    const lane = (this.#lanes.find(({ hasVideo }) => hasVideo === isVideo) ?? this.#lanes[0]) as InputLane;
    lane.push(unit);
    return lane;
  }

  #clear(): void {
    for (const lane of this.#lanes) lane.clear();
  }

  #pump(): void {
    // Writing can find the process gone, whose exit is told of at once.
    if (this.#pumping) return;
    this.#pumping = true;
    for (const lane of this.#lanes) this.#pumpLane(lane);
    if (this.#finishing && this.#lanes.every(({ empty }) => empty)) this.#process.endInput();
    this.#pumping = false;
  }

  #pumpLane(lane: InputLane): void {
    while (this.#process.wantsInput(lane.fd)) {
      const unit = lane.take();
      if (unit === undefined) return;
      try {
        this.#feed.push(unit);
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        this.#malformed += 1;
      }
    }
  }

  #onAccessUnit(rung: Rung | undefined, unit: AccessUnit): void {
    this.#lastOutputAt = this.#clock.now();
    const { video } = this.plan;
    // The lowest rung is written last.
    if (rung === video?.rungs.at(-1)) this.#lastOutputPts = Math.max(this.#lastOutputPts ?? 0, unit.pts);
    this.#sink.onAccessUnit(this, rung, unit);
  }

  #onExit(exit: FfmpegExit): void {
    this.#output.flush();
    this.#finishing = true;
    this.#clear();
    this.#sink.onExit(this, exit);
  }
}

/** FFmpeg begins to decode when it has seen the first frames: their size is known. */
function withProbe(inputs: Omit<TranscodeInput, "probeBytes">[], seed: readonly AccessUnit[]): TranscodeInput[] {
  return inputs.map((input) => {
    const wanted = input.carries[0];
    let frames = 0;
    let bytes = 0;
    for (const unit of seed) {
      if (!input.carries.includes(unit.track.kind)) continue;
      bytes += unit.data.byteLength;
      if (unit.track.kind === wanted) frames += 1;
      if (frames === PROBED_FRAMES) break;
    }
    return { ...input, probeBytes: Math.round(bytes * PROBE_OVERHEAD) + PROBE_EXTRA_BYTES };
  });
}

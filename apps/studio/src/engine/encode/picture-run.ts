import type { Clock } from "@klieg/base";
import {
  decimal,
  deviceOptions,
  encodeOptions,
  type FfmpegExit,
  FfmpegProcess,
  inputFilters,
  RenditionOutput,
  type Rung,
  slices,
  transportStreamOptions,
  type VideoEncoder,
} from "@klieg/ffmpeg";
import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";

export interface PictureRunOptions {
  /** FFmpeg. */
  readonly path: string;
  readonly cores: number;
  readonly clock: Clock;
  readonly encoder: VideoEncoder;
  readonly rung: Rung;
  /** s. */
  readonly keyframeInterval: number;
  /** Timestamps are those of the pictures, in 90 kHz ticks. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
  /** Once, after the last access unit. */
  readonly onExit: (exit: FfmpegExit) => void;
}

/** What is made begins so late, s: an encoder that delays its pictures would put decode times before zero. */
const LEAD_S = 1;
/** Pictures that wait in memory while FFmpeg starts or takes its time; more are left out. */
const MOST_WAITING = 8;
/** Timestamps of pictures that are under way; more cannot be, since FFmpeg is not given more than its pipe holds. */
const MOST_UNDER_WAY = 600;

/** Raw pictures on standard input into H.264 in MPEG-TS on standard output, each with the number it came with as its time. */
function pictureArguments({ encoder, rung, cores, keyframeInterval }: PictureRunOptions): string[] {
  const filters = inputFilters(encoder).map(({ filter, options }) =>
    options === undefined ? filter : `${filter}=${options as string}`,
  );
  return [
    ...["-hide_banner", "-nostdin", "-loglevel", "level+warning", ...deviceOptions(encoder)],
    ...["-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0"],
    ...["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", `${rung.width}x${rung.height}`],
    ...["-framerate", decimal(rung.frameRate), "-i", "pipe:0", "-map", "0:v:0"],
    ...(filters.length === 0 ? [] : ["-vf", filters.join(",")]),
    ...encodeOptions(encoder, [rung], { preset: "veryfast", threads: slices(cores) }),
    ...["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
    ...["-force_key_frames", `expr:gte(t,n_forced*${decimal(keyframeInterval)})`],
    ...["-output_ts_offset", `${LEAD_S}`],
    ...transportStreamOptions(1, false),
    ...["-f", "mpegts", "pipe:1"],
  ];
}

/** One FFmpeg that encodes pictures. */
export class PictureRun {
  readonly encoder: VideoEncoder;
  readonly rung: Rung;
  readonly beganAt: number;
  readonly #options: PictureRunOptions;
  readonly #process: FfmpegProcess;
  readonly #output: RenditionOutput;
  /** By the number of the picture: the ticks it came with. */
  readonly #times = new Map<number, number>();
  readonly #waiting: Uint8Array[] = [];
  #finishing = false;
  #given = 0;
  #made = 0;
  #lastGivenAt: number;
  #progressAt: number;

  constructor(options: PictureRunOptions) {
    const { encoder, rung, clock, path } = options;
    this.#options = options;
    this.encoder = encoder;
    this.rung = rung;
    this.beganAt = clock.now();
    this.#lastGivenAt = this.beganAt;
    this.#progressAt = this.beganAt;
    this.#output = new RenditionOutput([rung], -LEAD_S * TICKS_PER_SECOND, {
      onAccessUnit: (_rung, unit) => this.#onMade(unit),
    });
    this.#process = new FfmpegProcess({
      path,
      args: pictureArguments(options),
      inputFds: [0],
      // It is the show itself: it does not give way to what only looks at it.
      niceness: 0,
      clock,
      onOutput: (bytes) => this.#output.push(bytes),
      onDrain: () => this.#writeWaiting(),
      onExit: (exit) => {
        this.#output.flush();
        options.onExit(exit);
      },
    });
  }

  /** Whether it takes another picture. */
  get wantsPicture(): boolean {
    return this.#waiting.length < MOST_WAITING;
  }

  get made(): number {
    return this.#made;
  }

  /** How long it has given nothing although it was given pictures, ms. */
  get silentMs(): number {
    return this.#given > this.#made ? this.#lastGivenAt - this.#progressAt : 0;
  }

  /** @param picture I420 of the rung's size; not to be changed afterwards. */
  push(picture: Uint8Array, ticks: number): void {
    this.#lastGivenAt = this.#options.clock.now();
    if (this.#given === this.#made) this.#progressAt = this.#lastGivenAt;
    this.#times.set(this.#given, ticks);
    this.#times.delete(this.#given - MOST_UNDER_WAY);
    this.#given += 1;
    this.#waiting.push(picture);
    this.#writeWaiting();
  }

  /** A picture came, and was not taken: for a run that hangs, time goes on. */
  refused(): void {
    this.#lastGivenAt = this.#options.clock.now();
  }

  /** It is to finish what it has. */
  finish(): void {
    this.#finishing = true;
    this.#writeWaiting();
  }

  kill(): void {
    this.#process.kill();
  }

  close(): Promise<void> {
    return this.#process.close();
  }

  #writeWaiting(): void {
    while (this.#waiting.length > 0 && this.#process.wantsInput(0)) {
      this.#process.write(0, this.#waiting.shift() as Uint8Array);
    }
    if (this.#finishing && this.#waiting.length === 0) this.#process.endInput();
  }

  #onMade(unit: AccessUnit): void {
    const number = Math.round((unit.pts * this.rung.frameRate) / TICKS_PER_SECOND);
    const ticks = this.#times.get(number);
    this.#times.delete(number);
    this.#made = Math.max(this.#made, number + 1);
    this.#progressAt = this.#options.clock.now();
    if (ticks !== undefined) this.#options.onAccessUnit({ ...unit, dts: ticks, pts: ticks });
  }
}

import type { Clock } from "@klieg/base";
import { type FfmpegExit, RestartPolicy, type Rung, type VideoEncoder } from "@klieg/ffmpeg";
import type { AccessUnit } from "@klieg/media";
import { encoderLabel } from "./encoder-label.ts";
import type { ShelvedChoice } from "./encoder-shelf.ts";
import { PictureRun } from "./picture-run.ts";

export interface PictureEncoderOptions {
  /** FFmpeg. */
  readonly path: string;
  readonly cores: number;
  readonly clock: Clock;
  /** What to encode with; asked once. */
  readonly choose: () => Promise<ShelvedChoice>;
  /** Pixels, even. */
  readonly width: number;
  readonly height: number;
  /** bits/s. */
  readonly bitrate: number;
  /** s. */
  readonly keyframeInterval: number;
  /** Timestamps are those of the pictures, in 90 kHz ticks. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
  /** Something went wrong, and what was done about it, in words. */
  readonly onProblem: (message: string) => void;
}

const USUAL_RATES = [15, 20, 24, 25, 30, 48, 50, 60];
/** An encoder that was given pictures and makes none for so long hangs, ms: the show stands still meanwhile. */
const HANGS_AFTER_MS = 2000;
/** The first picture takes longer: a cold GPU driver. */
const HANGS_AT_FIRST_MS = 5000;
const LOOK_EVERY_MS = 250;
/** FFmpeg cannot be told another bit rate: another one takes over, no more often than this, ms, and for no less than this share. */
const RETARGET_MS = 2000;
const RETARGET_SHARE = 0.08;
/** One that is to finish has so long, ms. */
const FINISH_MS = 1500;

interface Turn {
  readonly run: PictureRun;
  /** What it made before its turn came. */
  readonly early: AccessUnit[];
  /** It is to finish; its end is no failure. */
  finishing: Disposable | undefined;
}

/**
 * Encodes the program's raw pictures by FFmpeg where the page cannot encode (STU2, TRN3): hardware first. Hardware that fails,
 * hangs or dies in mid-stream is replaced by software at once; the show stands still for what that takes, and goes on.
 */
export class PictureEncoder implements AsyncDisposable {
  readonly #options: PictureEncoderOptions;
  readonly #watch: Disposable;
  readonly #restarts = new RestartPolicy();
  /** The first speaks; the last is given pictures. */
  readonly #turns: Turn[] = [];
  #choice: ShelvedChoice | undefined;
  #encoder: VideoEncoder | undefined;
  #asked = false;
  #frameRate: number | undefined;
  #lastTicks: number | undefined;
  #bitrate: number;
  #waits: Disposable | undefined;
  #dropped = 0;
  #closed = false;

  constructor(options: PictureEncoderOptions) {
    this.#options = options;
    this.#bitrate = options.bitrate;
    this.#watch = options.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  /** What encodes now; undefined before the first picture. */
  get encoder(): VideoEncoder | undefined {
    return this.#encoder;
  }

  /** Pictures that no encoder took. */
  get dropped(): number {
    return this.#dropped;
  }

  /** bits/s from now on. */
  setBitrate(bitrate: number): void {
    this.#bitrate = bitrate;
  }

  /** @param picture I420 without padding; not to be changed afterwards. */
  push(picture: Uint8Array, ticks: number): void {
    if (this.#closed) return;
    const last = this.#lastTicks;
    this.#lastTicks = ticks;
    if (!this.#asked) this.#ask();
    if (last !== undefined) this.#frameRate ??= nearestRate(ticks - last);
    if (this.#frameRate === undefined || this.#encoder === undefined || this.#waits !== undefined) {
      this.#dropped += 1;
      return;
    }
    const turn = this.#turns.at(-1);
    if (turn === undefined || turn.finishing !== undefined) this.#begin(this.#frameRate, this.#encoder);
    else if (this.#isRetargetDue(turn.run)) {
      this.#finish(turn);
      this.#begin(this.#frameRate, this.#encoder);
    }
    const run = this.#turns.at(-1)?.run;
    if (run?.wantsPicture === true) {
      run.push(picture, ticks);
    } else {
      run?.refused();
      this.#dropped += 1;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    this.#waits?.[Symbol.dispose]();
    for (const { finishing } of this.#turns) finishing?.[Symbol.dispose]();
    await Promise.all(this.#turns.map(({ run }) => run.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask(): void {
    this.#asked = true;
    this.#options.choose().then(
      (choice) => {
        this.#choice = choice;
        this.#encoder = choice.encoder;
      },
      (error: unknown) => this.#options.onProblem(error instanceof Error ? error.message : String(error)),
    );
  }

  #begin(frameRate: number, encoder: VideoEncoder): void {
    const { path, cores, clock, width, height, keyframeInterval } = this.#options;
    const rung: Rung = { name: "program", width, height, frameRate, frameRateDivisor: 1, bitrate: this.#bitrate };
    const early: AccessUnit[] = [];
    const run: PictureRun = new PictureRun({
      path,
      cores,
      clock,
      encoder,
      rung,
      keyframeInterval,
      onAccessUnit: (unit) => {
        if (this.#turns[0]?.run === run) this.#options.onAccessUnit(unit);
        else early.push(unit);
      },
      onExit: (exit) => this.#ended(run, exit),
    });
    this.#turns.push({ run, early, finishing: undefined });
  }

  #finish(turn: Turn): void {
    turn.run.finish();
    turn.finishing = this.#options.clock.after(FINISH_MS, () => turn.run.kill());
  }

  #isRetargetDue(run: PictureRun): boolean {
    const change = Math.abs(this.#bitrate - run.rung.bitrate);
    return change > run.rung.bitrate * RETARGET_SHARE && this.#options.clock.now() - run.beganAt > RETARGET_MS;
  }

  #look(): void {
    const turn = this.#turns.at(-1);
    if (turn === undefined || turn.finishing !== undefined) return;
    if (turn.run.silentMs > (turn.run.made === 0 ? HANGS_AT_FIRST_MS : HANGS_AFTER_MS)) turn.run.kill();
  }

  #ended(run: PictureRun, exit: FfmpegExit): void {
    const at = this.#turns.findIndex((turn) => turn.run === run);
    const [turn] = this.#turns.splice(at, 1);
    turn?.finishing?.[Symbol.dispose]();
    if (this.#closed) return;
    // Whoever waited for it has its turn.
    const next = this.#turns[0];
    for (const unit of next?.early.splice(0) ?? []) this.#options.onAccessUnit(unit);
    if (turn === undefined || turn.finishing !== undefined) return;
    const { onProblem, clock } = this.#options;
    const words = `${encoderLabel(run.encoder.name)} stopped encoding: FFmpeg ${exit.message}`;
    const software = this.#choice?.software;
    if (run.encoder.hardware && software !== undefined) {
      this.#encoder = software;
      onProblem(`${words}. The processor encodes from now on`);
      return;
    }
    onProblem(words);
    const delayMs = this.#restarts.failed({ livedMs: clock.now() - run.beganAt, madeAnything: run.made > 0 });
    if (delayMs === 0) return;
    this.#waits = clock.after(delayMs, () => {
      this.#waits = undefined;
    });
  }
}

/** Pictures a second, of two that follow on one another. */
function nearestRate(stepTicks: number): number | undefined {
  if (stepTicks <= 0) return undefined;
  const rate = 90_000 / stepTicks;
  return USUAL_RATES.toSorted((a, b) => Math.abs(a - rate) - Math.abs(b - rate))[0];
}

import type { Clock } from "@klieg/base";
import type { FfmpegBinary, FfmpegExit, VideoEncoder } from "@klieg/ffmpeg";
import type { AccessUnit } from "@klieg/media";
import { type CaptureStatus, KliegError } from "@klieg/protocol";
import type { ShelvedChoice } from "../encode/encoder-shelf.ts";
import { type Conversion, conversionRung } from "./capture-arguments.ts";
import { captureFailure, isFinal } from "./capture-failure.ts";
import { CaptureRun } from "./capture-run.ts";
import { type DescribedVideo, type InputDescription, isTakenByBrowsers } from "./input-description.ts";
import type { FfmpegInput } from "./stream-address.ts";

/** What a feed says of itself; the number and what was dropped are known to whoever has it. */
export type FeedStatus = Omit<CaptureStatus, "capture" | "dropped_frames">;

export interface CaptureFeedOptions {
  readonly binary: FfmpegBinary;
  readonly cores: number;
  readonly clock: Clock;
  readonly input: FfmpegInput;
  /** Whether pictures are encoded anew in any case. */
  readonly convert: boolean;
  /** What to encode with; asked only where something has to be. */
  readonly chooseEncoder: () => Promise<ShelvedChoice>;
  /** Whenever anything of it changes. */
  readonly onStatus: (status: FeedStatus) => void;
  /** Timestamps in 90 kHz ticks from near 0 on in each run of FFmpeg; a run begins with a new track. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
}

/** ms between attempts; the last is repeated. */
const BACK_OFF = [500, 1000, 2000, 5000, 10_000] as const;
/** A run that has lived so long counts as one that works, ms. */
const PROVEN_MS = 10_000;
/** Until the first picture may take so long: cameras that sleep, and those that rarely send a keyframe, ms. */
const OPENING_MS = 15_000;
/** A source that was there and sends nothing for so long is opened anew, ms. */
const SILENT_MS = 8000;
const LOOK_EVERY_MS = 500;

/**
 * A source that FFmpeg opens, kept open: it comes back by itself after whatever ended it, later each time. Begins by copying,
 * which costs nothing; where the other end does not send what browsers take, another FFmpeg converts it.
 */
export class CaptureFeed implements AsyncDisposable {
  readonly #options: CaptureFeedOptions;
  readonly #watch: Disposable;
  #run: CaptureRun | undefined;
  #retry: Disposable | undefined;
  #failures = 0;
  /** Set once it is known that copying will not do. */
  #converted: DescribedVideo | undefined;
  #convertsAnyway: boolean;
  #softwareOnly = false;
  #status: FeedStatus = { state: "opening", problem: null, next_attempt_at: null, video: null, audio: null };
  #closed = false;
  /** Runs that are on their way out. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: CaptureFeedOptions) {
    this.#options = options;
    this.#convertsAnyway = options.convert;
    this.#watch = options.clock.every(LOOK_EVERY_MS, () => this.#look());
    void this.#begin();
  }

  get status(): FeedStatus {
    return this.#status;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#watch[Symbol.dispose]();
      this.#retry?.[Symbol.dispose]();
      this.#leave();
    }
    await Promise.all(this.#leaving);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(): Promise<void> {
    this.#retry?.[Symbol.dispose]();
    this.#retry = undefined;
    const { binary, cores, clock, input } = this.#options;
    const video = this.#converted;
    let conversion: Conversion | undefined;
    if (video !== undefined) {
      try {
        conversion = { encoder: await this.#encoder(), video };
      } catch (error) {
        this.#fail(KliegError.from(error), true);
        return;
      }
      if (this.#closed || this.#run !== undefined) return;
    }
    const run: CaptureRun = new CaptureRun({
      binary,
      cores,
      clock,
      input,
      conversion,
      onDescription: (description) => {
        if (run === this.#run) this.#described(run, description);
      },
      onAccessUnit: (unit) => {
        if (run !== this.#run) return;
        if (this.#status.state !== "live") this.#become({ state: "live", problem: null, next_attempt_at: null });
        this.#options.onAccessUnit(unit);
      },
      onExit: (exit, words) => {
        if (run === this.#run) this.#ended(run, exit, words);
      },
    });
    this.#run = run;
  }

  async #encoder(): Promise<VideoEncoder> {
    const { encoder, software } = await this.#options.chooseEncoder();
    return this.#softwareOnly ? software : encoder;
  }

  #described(run: CaptureRun, { video, audioCodec }: InputDescription): void {
    const mustConvert = video !== undefined && (this.#convertsAnyway || !isTakenByBrowsers(video));
    const made = video === undefined || !mustConvert ? video : conversionRung(video);
    this.#become({
      video:
        video === undefined || made === undefined
          ? null
          : {
              codec: video.codec,
              width: made.width,
              height: made.height,
              frame_rate: made.frameRate ?? null,
              converted: mustConvert,
            },
      audio: audioCodec === undefined ? null : { codec: audioCodec },
    });
    const before = run.conversion?.video;
    const asBefore =
      video !== undefined && before !== undefined && before.width === video.width && before.height === video.height;
    if (mustConvert ? asBefore : run.conversion === undefined) return;
    // What is there is another thing than was thought: begun anew at once with what it takes.
    this.#converted = mustConvert ? video : undefined;
    this.#leave();
    void this.#begin();
  }

  #look(): void {
    const run = this.#run;
    if (run === undefined) return;
    const limit = run.made === 0 ? OPENING_MS : SILENT_MS;
    if (run.silentMs <= limit) return;
    this.#leave();
    if (run.undecodable && run.conversion === undefined && run.description?.video !== undefined) {
      // Pictures without a beginning: FFmpeg makes something of them.
      this.#convertsAnyway = true;
      this.#converted = run.description.video;
      void this.#begin();
      return;
    }
    const words = run.made === 0 ? "Nothing has come from there yet" : "Nothing comes from there any more";
    this.#failed(run, new KliegError("timeout", `${words}: it is asked again.`));
  }

  #ended(run: CaptureRun, exit: FfmpegExit, words: string): void {
    this.#run = undefined;
    const { input } = this.#options;
    if (input.isFile && exit.code === 0 && run.made > 0) {
      this.#become({ state: "ended", problem: null, next_attempt_at: null });
      return;
    }
    const video = run.description?.video;
    if (run.made === 0 && run.conversion === undefined && video !== undefined && !this.#convertsAnyway) {
      // It could not be copied after all.
      this.#convertsAnyway = true;
      this.#converted = video;
      void this.#begin();
      return;
    }
    if (run.made === 0 && run.conversion?.encoder.hardware === true) this.#softwareOnly = true;
    this.#failed(run, captureFailure(words));
  }

  #failed(run: CaptureRun, problem: KliegError): void {
    const { input, clock } = this.#options;
    const proven = run.made > 0 && clock.now() - run.beganAt >= PROVEN_MS;
    this.#failures = proven ? 1 : this.#failures + 1;
    this.#fail(problem, input.isFile || isFinal(problem));
  }

  #fail(problem: KliegError, final: boolean): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    const { error } = problem.toBody();
    if (final) {
      this.#become({ state: "failed", problem: error, next_attempt_at: null });
      return;
    }
    const waitMs = BACK_OFF[Math.min(this.#failures, BACK_OFF.length) - 1] ?? BACK_OFF[0];
    this.#retry = clock.after(waitMs, () => void this.#begin());
    this.#become({ state: "reconnecting", problem: error, next_attempt_at: clock.wall() + waitMs });
  }

  #leave(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return;
    const gone: Promise<void> = run.close().finally(() => this.#leaving.delete(gone));
    this.#leaving.add(gone);
  }

  #become(change: Partial<FeedStatus>): void {
    this.#status = { ...this.#status, ...change };
    if (!this.#closed) this.#options.onStatus(this.#status);
  }
}

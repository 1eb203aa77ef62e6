import type { Clock } from "@klieg/base";
import { type FfmpegBinary, type FfmpegExit, FfmpegProcess } from "@klieg/ffmpeg";
import { type AccessUnit, TsDemuxer } from "@klieg/media";
import { type Conversion, captureArguments } from "./capture-arguments.ts";
import { InputDescriber, type InputDescription } from "./input-description.ts";
import { type FfmpegInput, withoutSecrets } from "./stream-address.ts";

export interface CaptureRunOptions {
  readonly binary: FfmpegBinary;
  readonly cores: number;
  readonly clock: Clock;
  readonly input: FfmpegInput;
  readonly conversion: Conversion | undefined;
  /** What FFmpeg has found in the input: before the first access unit. */
  readonly onDescription: (description: InputDescription) => void;
  /** From the first keyframe on. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
  /** Once, after all access units. @param words what went wrong, without secrets; empty where nothing did. */
  readonly onExit: (exit: FfmpegExit, words: string) => void;
}

/** Lines of FFmpeg's complaints that are kept to say why it ended. */
const KEPT_COMPLAINTS = 6;
const MAX_LINE = 2000;

/** One FFmpeg that reads a stream source. */
export class CaptureRun {
  readonly beganAt: number;
  readonly conversion: Conversion | undefined;
  readonly #options: CaptureRunOptions;
  readonly #process: FfmpegProcess;
  readonly #describer = new InputDescriber();
  readonly #demuxer: TsDemuxer;
  readonly #complaints: string[] = [];
  #errorRest = "";
  #description: InputDescription | undefined;
  #left = false;
  #made = 0;
  /** Coded pictures came, though none of them was one to begin with. */
  #undecodable = false;
  #progressAt: number;

  constructor(options: CaptureRunOptions) {
    const { binary, cores, clock, input, conversion } = options;
    this.#options = options;
    this.conversion = conversion;
    this.beganAt = clock.now();
    this.#progressAt = this.beganAt;
    this.#demuxer = new TsDemuxer(
      {
        onTrack: () => undefined,
        onAccessUnit: (unit) => this.#onAccessUnit(unit),
      },
      { waitForKeyframe: false },
    );
    this.#process = new FfmpegProcess({
      path: binary.path,
      args: captureArguments(binary, input, conversion, cores),
      inputFds: [],
      // It is part of the show: it does not give way to what only looks at it.
      niceness: 0,
      clock,
      onOutput: (bytes) => {
        // What FFmpeg copies before it is known to be what browsers take is nobody's.
        if (!this.#left) this.#demuxer.push(bytes);
      },
      onErrorText: (text) => this.#onErrorText(text),
      onDrain: () => undefined,
      onExit: (exit) => {
        if (!this.#left) this.#demuxer.flush();
        options.onExit(exit, withoutSecrets(this.#complaints.join("\n"), input));
      },
    });
  }

  get description(): InputDescription | undefined {
    return this.#description;
  }

  get undecodable(): boolean {
    return this.#undecodable && this.#made === 0;
  }

  /** Access units that were handed on. */
  get made(): number {
    return this.#made;
  }

  /** How long nothing has come of what should, ms: pictures, where it has any. */
  get silentMs(): number {
    return this.#options.clock.now() - this.#progressAt;
  }

  /** Nothing more of it is wanted. {@link CaptureRunOptions.onExit} is still told. */
  leave(): void {
    this.#left = true;
    this.#process.kill();
  }

  close(): Promise<void> {
    this.leave();
    return this.#process.close();
  }

  #onErrorText(text: string): void {
    const description = this.#describer.push(text);
    if (description !== undefined && !this.#left) {
      this.#description = description;
      this.#options.onDescription(description);
    }
    const lines = (this.#errorRest + text).split(/[\r\n]+/);
    this.#errorRest = (lines.pop() ?? "").slice(-MAX_LINE);
    for (const line of lines) {
      // What libsrt says itself has no level; a passphrase that is wrong is told there alone.
      if (!/\[(error|fatal|panic)\] |\/SRT:.*REJECT/.test(line)) continue;
      this.#complaints.push(line.replace(/^(\[[^\]]* @ 0x[0-9a-f]+\] )?\[\w+\] /, "").slice(0, 300));
      if (this.#complaints.length > KEPT_COMPLAINTS) this.#complaints.shift();
    }
  }

  #onAccessUnit(unit: AccessUnit): void {
    const isPicture = unit.track.kind === "video";
    if (isPicture && this.#made === 0 && !unit.keyframe) {
      this.#undecodable = true;
      return;
    }
    const hasPicture = this.#description === undefined || this.#description.video !== undefined;
    if (isPicture || !hasPicture) {
      this.#made += 1;
      this.#progressAt = this.#options.clock.now();
    }
    this.#options.onAccessUnit(unit);
  }
}

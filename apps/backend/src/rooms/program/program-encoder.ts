import type { Clock } from "@klieg/base";
import type { EncodePreset, Rung, VideoEncoder } from "@klieg/ffmpeg";
import { type FfmpegExit, FfmpegProcess, RenditionOutput } from "@klieg/ffmpeg";
import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";
import type { TranscodeEngine } from "../../transcode/transcode-engine.ts";
import { PROGRAM_AUDIO_FD, PROGRAM_LEAD_S, PROGRAM_VIDEO_FD, programArguments } from "./program-command.ts";

export interface ProgramEncoderOptions {
  readonly engine: TranscodeEngine;
  readonly encoder: VideoEncoder;
  readonly rung: Rung;
  readonly preset: EncodePreset;
  readonly clock: Clock;
  /** Where the first picture and the first sample lie on the program's timeline, 90 kHz ticks. */
  readonly startTicks: number;
  readonly onAccessUnit: (unit: AccessUnit) => void;
  /** It takes another picture. */
  readonly onDrain: () => void;
  /** Once, after the last access unit. */
  readonly onExit: (exit: FfmpegExit) => void;
}

/**
 * One FFmpeg that encodes the program: raw pictures and samples in, each counted (the nth picture is n frames late, the
 * nth sample n samples), access units out.
 */
export class ProgramEncoder implements AsyncDisposable {
  readonly #process: FfmpegProcess;
  readonly #output: RenditionOutput;
  #pictures = 0;
  #ended = false;

  constructor(options: ProgramEncoderOptions) {
    const { engine, encoder, rung, preset, startTicks } = options;
    const { binary } = engine;
    if (binary === undefined) throw new Error("an encoder without FFmpeg");
    this.#output = new RenditionOutput([rung], startTicks - PROGRAM_LEAD_S * TICKS_PER_SECOND, {
      onAccessUnit: (_rung, unit) => options.onAccessUnit(unit),
    });
    this.#process = new FfmpegProcess({
      path: binary.path,
      args: programArguments({ rung, encoder, preset, cores: engine.cores }),
      inputFds: [PROGRAM_AUDIO_FD, PROGRAM_VIDEO_FD],
      clock: options.clock,
      setpriv: engine.setpriv,
      onOutput: (bytes) => this.#output.push(bytes),
      onDrain: options.onDrain,
      onExit: (exit) => {
        this.#ended = true;
        this.#output.flush();
        options.onExit(exit);
      },
    });
  }

  /** Whether a picture can be given to it without waiting in memory. */
  get wantsPicture(): boolean {
    return this.#process.wantsInput(PROGRAM_VIDEO_FD);
  }

  /** Pictures that it was given. */
  get pictures(): number {
    return this.#pictures;
  }

  get running(): boolean {
    return !this.#ended;
  }

  /** @param picture I420 of the rung's size; it may be changed once {@link wantsPicture} is true again. */
  pushPicture(picture: Uint8Array): void {
    this.#pictures += 1;
    this.#process.write(PROGRAM_VIDEO_FD, picture);
  }

  /** @param pcm 16-bit stereo samples, little-endian; not to be changed afterwards. */
  pushAudio(pcm: Buffer): void {
    this.#process.write(PROGRAM_AUDIO_FD, pcm);
  }

  /** Ends FFmpeg at once: it hangs. */
  kill(): void {
    this.#process.kill();
  }

  /** Has FFmpeg finish what it has been given. Idempotent. */
  async close(): Promise<void> {
    await this.#process.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

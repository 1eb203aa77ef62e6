import type { Clock } from "@klieg/base";
import { type FfmpegExit, FfmpegProcess, RestartPolicy } from "@klieg/ffmpeg";
import { type AccessUnit, AdtsFramer, type AudioTrack, aacTrackFromAdts, TICKS_PER_SECOND } from "@klieg/media";
import { SampleLine } from "./sample-line.ts";

export interface AacEncoderOptions {
  /** FFmpeg. */
  readonly path: string;
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** bits/s. */
  readonly bitrate: number;
  readonly clock: Clock;
  /** Timestamps are the samples' own, in 90 kHz ticks. */
  readonly onAccessUnit: (unit: AccessUnit) => void;
  /** It failed, in words, and is tried again. */
  readonly onProblem: (message: string) => void;
}

const SAMPLES_PER_FRAME = 1024;
/** Frames that the encoder puts before its first input (FFmpeg's native AAC encoder). */
const PRIMING_FRAMES = 1;
/** An FFmpeg that has had so much sound, ms, and gives none back for so long hangs. */
const HANGS_AFTER_MS = 4000;
const LOOK_EVERY_MS = 1000;

/**
 * Makes AAC of the samples that a page sends: not every browser can (STU3). One FFmpeg, whose frames are counted, since
 * neither raw samples nor ADTS carry time. One that dies or hangs is replaced; the sound has a hole then, and nothing
 * else.
 */
export class AacEncoder implements AsyncDisposable {
  readonly #options: AacEncoderOptions;
  readonly #line: SampleLine;
  readonly #restarts = new RestartPolicy();
  readonly #watch: Disposable;
  #run: AacRun | undefined;
  #restart: Disposable | undefined;
  #waits = false;
  #track: AudioTrack | undefined;
  #closed = false;
  #dropped = 0;

  constructor(options: AacEncoderOptions) {
    this.#options = options;
    this.#line = new SampleLine(options.sampleRate);
    this.#watch = options.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  /** Blocks that FFmpeg did not take in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * @param pcm interleaved signed 16-bit samples, little-endian, whole ones of every channel; not to be changed afterwards.
   * @param timestampUs of the first sample.
   */
  push(pcm: Uint8Array, timestampUs: number): void {
    if (this.#closed || this.#waits) return;
    const bytes = 2 * this.#options.channels;
    if (this.#run?.wantsInput === false) {
      this.#dropped += 1;
      return; // the hole is filled with silence when it takes sound again
    }
    const plan = this.#line.place(timestampUs, pcm.length / bytes);
    if (plan.anew) this.#leave();
    this.#run ??= new AacRun(this.#options, this.#line.startUs as number, {
      track: (made) => this.#trackFor(made),
      ended: (run, exit) => this.#ended(run, exit),
    });
    if (plan.silence > 0) this.#run.write(new Uint8Array(plan.silence * bytes));
    if (plan.skip * bytes < pcm.length) this.#run.write(plan.skip === 0 ? pcm : pcm.subarray(plan.skip * bytes));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    this.#restart?.[Symbol.dispose]();
    const run = this.#run;
    this.#run = undefined;
    await run?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One track for all frames alike: a new object would be a new configuration to all readers. */
  #trackFor(made: AudioTrack): AudioTrack {
    const known = this.#track;
    if (known === undefined || Buffer.compare(known.config, made.config) !== 0) this.#track = made;
    return this.#track as AudioTrack;
  }

  #look(): void {
    const run = this.#run;
    if (run?.hangs === true) run.kill();
  }

  /** What the present run has not handed over belongs to another time: it is not waited for. */
  #leave(): void {
    const run = this.#run;
    this.#run = undefined;
    run?.forget();
  }

  #ended(run: AacRun, exit: FfmpegExit): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    this.#line.reset();
    if (this.#closed) return;
    const delayMs = this.#restarts.failed({ livedMs: run.livedMs, madeAnything: run.frames > 0 });
    const words = run.hangs ? "hung, and was killed" : exit.message;
    this.#options.onProblem(`FFmpeg, which encodes the sound, ${words}. Another takes over`);
    if (delayMs === 0) return;
    this.#waits = true;
    this.#restart = this.#options.clock.after(delayMs, () => {
      this.#waits = false;
    });
  }
}

interface AacRunOwner {
  track(made: AudioTrack): AudioTrack;
  ended(run: AacRun, exit: FfmpegExit): void;
}

/** One FFmpeg and what it was given and gave. */
class AacRun {
  readonly #options: AacEncoderOptions;
  readonly #owner: AacRunOwner;
  readonly #process: FfmpegProcess;
  readonly #framer = new AdtsFramer();
  readonly #startUs: number;
  readonly #beganAt: number;
  #lastOutputAt: number;
  #samplesIn = 0;
  #track: AudioTrack | undefined;
  #forgotten = false;
  frames = 0;

  constructor(options: AacEncoderOptions, startUs: number, owner: AacRunOwner) {
    const { clock, sampleRate, channels, bitrate } = options;
    this.#options = options;
    this.#owner = owner;
    this.#startUs = startUs;
    this.#beganAt = clock.now();
    this.#lastOutputAt = this.#beganAt;
    this.#process = new FfmpegProcess({
      path: options.path,
      args: [
        ...["-hide_banner", "-nostdin", "-loglevel", "level+warning"],
        ...["-probesize", "32", "-analyzeduration", "0"],
        ...["-f", "s16le", "-ar", `${sampleRate}`, "-ac", `${channels}`, "-i", "pipe:0"],
        ...["-c:a", "aac", "-b:a", `${bitrate}`, "-f", "adts", "-flush_packets", "1", "pipe:1"],
      ],
      inputFds: [0],
      // It is the show itself: it does not give way to what only looks at it.
      niceness: 0,
      clock,
      onOutput: (bytes) => this.#onOutput(bytes),
      onDrain: () => undefined,
      onExit: (exit) => owner.ended(this, exit),
    });
  }

  get wantsInput(): boolean {
    return this.#process.wantsInput(0);
  }

  get livedMs(): number {
    return this.#options.clock.now() - this.#beganAt;
  }

  get hangs(): boolean {
    const owedMs = ((this.#samplesIn - this.frames * SAMPLES_PER_FRAME) * 1000) / this.#options.sampleRate;
    return owedMs > 500 && this.#options.clock.now() - this.#lastOutputAt > HANGS_AFTER_MS;
  }

  write(pcm: Uint8Array): void {
    this.#samplesIn += pcm.length / (2 * this.#options.channels);
    this.#process.write(0, pcm);
  }

  kill(): void {
    this.#process.kill();
  }

  forget(): void {
    this.#forgotten = true;
    this.#process.kill();
  }

  close(): Promise<void> {
    return this.#process.close();
  }

  #onOutput(bytes: Uint8Array): void {
    if (this.#forgotten) return;
    this.#lastOutputAt = this.#options.clock.now();
    this.#framer.push(bytes, ({ header, data }) => {
      this.#track ??= this.#owner.track(aacTrackFromAdts(0, header));
      const track = this.#track;
      const samples = (this.frames - PRIMING_FRAMES) * SAMPLES_PER_FRAME;
      this.frames += 1;
      const seconds = this.#startUs / 1e6 + samples / this.#options.sampleRate;
      if (seconds < 0) return;
      const ticks = Math.round(seconds * TICKS_PER_SECOND);
      // The pipe's chunk is not ours to keep.
      this.#options.onAccessUnit({ track, dts: ticks, pts: ticks, keyframe: true, data: Uint8Array.from(data) });
    });
  }
}

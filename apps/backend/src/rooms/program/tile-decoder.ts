import type { Clock } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import { type FfmpegExit, FfmpegProcess } from "@klieg/ffmpeg";
import {
  type AccessUnit,
  chunk,
  initSegment,
  TICKS_PER_SECOND,
  type Track,
  type VideoTrack,
  withParameterSets,
} from "@klieg/media";
import { pictureBytes } from "./canvas.ts";
import { tileArguments } from "./program-command.ts";
import type { Size } from "./program-layout.ts";

export interface TileDecoderOptions {
  readonly binary: FfmpegBinary;
  readonly setpriv: string | undefined;
  readonly clock: Clock;
  readonly size: Size;
  /** Nothing can be decoded before a keyframe comes. */
  readonly onKeyframeNeeded: () => void;
  /** Once; it decodes no more. */
  readonly onExit: (exit: FfmpegExit) => void;
}

/** What may wait for FFmpeg. */
const QUEUE_BYTES = 4 * 1024 * 1024;

/**
 * One FFmpeg that turns a sender's access units into pictures of a tile's size. It goes on through changes of the
 * sender's resolution: parameter sets and frame headers come in band.
 */
export class TileDecoder implements AsyncDisposable {
  readonly #options: TileDecoderOptions;
  readonly #process: FfmpegProcess;
  readonly #codec: VideoTrack["codec"];
  readonly #base: number;
  readonly #frameBytes: number;
  #track: VideoTrack;
  #sequence = 0;
  #lastDts: number | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #needsKeyframe = false;
  /** The picture that is coming in, and how much of it is there. */
  #filling: Buffer;
  #filled = 0;
  #picture: Buffer | undefined;
  #pictures = 0;

  /** @param first the keyframe to begin with. @throws MediaError where its track cannot be written. */
  constructor(first: AccessUnit & { readonly track: VideoTrack }, options: TileDecoderOptions) {
    this.#options = options;
    this.#track = first.track;
    this.#codec = first.track.codec;
    this.#base = first.dts;
    this.#frameBytes = pictureBytes(options.size);
    this.#filling = Buffer.allocUnsafe(this.#frameBytes);
    const header = initSegment(first.track);
    this.#process = new FfmpegProcess({
      path: options.binary.path,
      args: tileArguments(options.binary, options.size),
      inputFds: [0],
      clock: options.clock,
      setpriv: options.setpriv,
      onOutput: (bytes) => this.#onOutput(bytes),
      onDrain: () => this.#pump(),
      onExit: options.onExit,
    });
    this.#enqueue(header);
    this.push(first);
  }

  /** The newest picture that is whole; it holds until the next one is asked for. */
  get picture(): Buffer | undefined {
    return this.#picture;
  }

  /** How many pictures have been decoded. */
  get pictures(): number {
    return this.#pictures;
  }

  /** Whether units of that track can be given to it. */
  takes(track: Track): boolean {
    return track.kind === "video" && track.codec === this.#codec;
  }

  push(unit: AccessUnit): void {
    if (unit.track.kind !== "video") return;
    if (this.#needsKeyframe) {
      if (!unit.keyframe) return;
      this.#needsKeyframe = false;
    }
    if (this.#waitingBytes > QUEUE_BYTES) {
      // It does not keep up: what waits is no longer worth decoding.
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#needsKeyframe = true;
      this.#options.onKeyframeNeeded();
      return;
    }
    let { data } = unit;
    if (unit.track !== this.#track) {
      this.#track = unit.track;
      if (unit.track.codec === "h264") data = withParameterSets(unit.track, data);
    }
    const dts = unit.dts - this.#base;
    const duration = this.#lastDts === undefined ? TICKS_PER_SECOND / 30 : Math.max(1, dts - this.#lastDts);
    this.#lastDts = dts;
    this.#sequence += 1;
    const samples = [{ duration, compositionOffset: 0, keyframe: unit.keyframe, data }];
    // In one piece: what waits may be thrown away, but not half of a chunk.
    this.#enqueue(Buffer.concat(chunk({ sequence: this.#sequence, baseDecodeTime: dts, samples })));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#waiting = [];
    this.#process.kill();
    await this.#process.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #enqueue(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
    this.#pump();
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#process.wantsInput(0)) {
      const bytes = this.#waiting.shift() as Uint8Array;
      this.#waitingBytes -= bytes.byteLength;
      this.#process.write(0, bytes);
    }
  }

  #onOutput(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const taken = Math.min(bytes.length - at, this.#frameBytes - this.#filled);
      bytes.copy(this.#filling, this.#filled, at, at + taken);
      this.#filled += taken;
      at += taken;
      if (this.#filled < this.#frameBytes) return;
      const whole = this.#filling;
      this.#filling = this.#picture ?? Buffer.allocUnsafe(this.#frameBytes);
      this.#picture = whole;
      this.#filled = 0;
      this.#pictures += 1;
    }
  }
}

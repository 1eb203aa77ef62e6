import { BROWSER_SOFTWARE, type BrowserEncoder, chooseEncoder, type PictureShape } from "../encoder/encoder-choice.ts";
import { ProgramEncoder } from "../encoder/program-encoder.ts";
import { FrameReader } from "../frame-reader.ts";
import type { ProgramClock } from "../program-clock.ts";
import { FrameClock } from "./frame-clock.ts";
import type { IsolatedStatistics } from "./isolated-message.ts";
import { isolatedBitrate, isolatedSize, type Size } from "./isolated-shape.ts";

export interface IsolatedPictureOptions {
  /** By which the engine knows it. */
  readonly number: number;
  readonly clock: ProgramClock;
  /** Pictures a second, at most. */
  readonly frameRate: number;
  readonly canvas: Size;
  readonly least: Size | undefined;
  /** What the graphics card calls itself. */
  readonly card: string;
  /** Whether the link to the engine is full. */
  readonly congested: () => boolean;
  /** Of so many pictures one is encoded. */
  readonly every: () => number;
  /** A message of `studio-program.ts`. */
  readonly onMessage: (message: Uint8Array<ArrayBuffer>) => void;
}

/** A picture that stands is encoded again so often, µs: what a crash may lose is bounded by that. */
const STANDS = 500_000;
/** Seconds from keyframe to keyframe. */
const KEYFRAME_INTERVAL = 1;
/** Pictures that may wait in the encoder: they are the device's, which has only a few to lend. */
const LONGEST_QUEUE = 3;
/** A picture that comes earlier by this share of the time between two is as good as punctual. */
const EARLY = 0.75;

/** Encodes one source by itself: as large as its first picture, black where there is none. */
export class IsolatedPicture implements Disposable {
  readonly #options: IsolatedPictureOptions;
  #times = new FrameClock();
  readonly #frames = new FrameReader((frame) => this.#take(frame));
  #last: VideoFrame | undefined;
  #taken = Number.NEGATIVE_INFINITY;
  /** Pictures since the last that was encoded. */
  #passed = 0;
  #size: Size | undefined;
  #letterbox: OffscreenCanvas | undefined;
  #encoder: ProgramEncoder | undefined;
  #choice: BrowserEncoder | undefined;
  #choosing = false;
  #problem: string | undefined;
  #dropped = 0;
  #closed = false;

  constructor(options: IsolatedPictureOptions) {
    this.#options = options;
    // The first picture tells how large it is recorded: it is worth a moment's wait.
    this.#taken = options.clock.now() + STANDS;
  }

  /** Takes the pictures of a track from now on; undefined: there is none. */
  follow(frames: ReadableStream<VideoFrame> | undefined): void {
    this.#leave();
    if (frames === undefined || this.#closed) return;
    this.#frames.follow(frames);
  }

  /** To be called a few times a second: encodes a picture that stands once more. */
  look(): void {
    const now = this.#options.clock.now();
    if (now - this.#taken < STANDS) return;
    const timestamp = this.#times.repeat(now);
    if (this.#last !== undefined) {
      using frame = new Held(new VideoFrame(this.#last, { timestamp }));
      this.#encode(frame.frame, timestamp);
      return;
    }
    const size = this.#size ?? isolatedSize(this.#options.canvas, undefined);
    using frame = new Held(this.#drawn(undefined, size, timestamp));
    this.#encode(frame.frame, timestamp);
  }

  /** Makes the next picture a keyframe. */
  forceKeyframe(): void {
    this.#encoder?.forceKeyframe();
  }

  takeStatistics(): IsolatedStatistics {
    const { encoded } = this.#encoder?.takeCounts() ?? { encoded: 0 };
    const inUse = this.#encoder === undefined ? undefined : this.#choice?.encoder;
    return {
      number: this.#options.number,
      frameRate: encoded,
      dropped: this.#dropped,
      encoder: inUse?.label,
      hardware: inUse?.hardware ?? false,
      problem: this.#problem,
    };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#leave();
    this.#encoder?.[Symbol.dispose]();
    this.#encoder = undefined;
  }

  #leave(): void {
    this.#frames.leave();
    this.#last?.close();
    this.#last = undefined;
    this.#times = new FrameClock();
  }

  #take(frame: VideoFrame): void {
    const { clock, frameRate, every } = this.#options;
    this.#last?.close();
    this.#last = frame;
    const timestamp = this.#times.place(frame.timestamp, clock.now());
    if (timestamp - this.#taken < (EARLY * 1_000_000) / frameRate) return;
    this.#passed += 1;
    if (this.#passed < every()) {
      this.#dropped += 1;
      return;
    }
    using timed = new Held(new VideoFrame(frame, { timestamp }));
    this.#encode(timed.frame, timestamp);
  }

  #encode(frame: VideoFrame, timestamp: number): void {
    this.#taken = timestamp;
    this.#passed = 0;
    this.#size ??= isolatedSize({ width: frame.displayWidth, height: frame.displayHeight }, this.#options.least);
    if (this.#encoder === undefined) void this.#choose(this.#size, "auto");
    if (this.#encoder === undefined) return;
    if (this.#options.congested()) {
      this.#dropped += 1;
      return;
    }
    const { width, height } = this.#size;
    if (frame.displayWidth === width && frame.displayHeight === height) {
      if (!this.#encoder.encode(frame)) this.#dropped += 1;
      return;
    }
    using fitted = new Held(this.#drawn(frame, this.#size, timestamp));
    if (!this.#encoder.encode(fitted.frame)) this.#dropped += 1;
  }

  /** A picture of the size that is encoded, with `frame` in its middle. */
  #drawn(frame: VideoFrame | undefined, { width, height }: Size, timestamp: number): VideoFrame {
    this.#letterbox ??= new OffscreenCanvas(width, height);
    const context = this.#letterbox.getContext("2d", { alpha: false });
    context?.fillRect(0, 0, width, height);
    if (frame !== undefined) {
      const scale = Math.min(width / frame.displayWidth, height / frame.displayHeight);
      const [across, down] = [frame.displayWidth * scale, frame.displayHeight * scale];
      context?.drawImage(frame, (width - across) / 2, (height - down) / 2, across, down);
    }
    return new VideoFrame(this.#letterbox, { timestamp });
  }

  async #choose(size: Size, name: string): Promise<void> {
    if (this.#choosing || this.#problem !== undefined) return;
    this.#choosing = true;
    const { frameRate, card, number, onMessage } = this.#options;
    const shape: PictureShape = { ...size, frameRate };
    try {
      const choice = await chooseEncoder(name, shape, isolatedBitrate(size, frameRate), card);
      if (this.#closed) return;
      if (choice === undefined) throw new Error("this browser does not encode H.264 of that size");
      this.#choice = choice;
      const encoder: ProgramEncoder = new ProgramEncoder(
        choice,
        KEYFRAME_INTERVAL,
        { onMessage, onFailed: (error) => this.#failed(encoder, choice, error) },
        { isolated: number, longestQueue: LONGEST_QUEUE },
      );
      this.#encoder = encoder;
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    } finally {
      this.#choosing = false;
    }
  }

  /** The hardware's encoder is replaced by the CPU's, which is not replaced. */
  #failed(encoder: ProgramEncoder, { encoder: failed }: BrowserEncoder, error: Error): void {
    if (this.#encoder !== encoder) return;
    this.#encoder = undefined;
    if (failed.hardware && this.#size !== undefined) void this.#choose(this.#size, BROWSER_SOFTWARE);
    else this.#problem = error.message;
  }
}

/** A frame until the end of a block. */
class Held implements Disposable {
  readonly frame: VideoFrame;

  constructor(frame: VideoFrame) {
    this.frame = frame;
  }

  [Symbol.dispose](): void {
    this.frame.close();
  }
}

import { type ErrorBody, KliegError } from "@klieg/protocol";
import {
  BROWSER_HARDWARE,
  BROWSER_SOFTWARE,
  type BrowserEncoder,
  chooseEncoder,
  type PictureShape,
} from "../encoder/encoder-choice.ts";
import { ProgramEncoder } from "../encoder/program-encoder.ts";
import { RawProgram } from "../encoder/raw-program.ts";
import type { CompositorProblem, ProgramEncoding } from "./compositor-message.ts";
import type { CompositorStatistics, EncoderInUse } from "./compositor-statistics.ts";
import { I420_COLOURS } from "./i420-reader.ts";

export interface ProgramOutputEvents {
  /** A message of `studio-program.ts`. */
  readonly onMessage: (message: Uint8Array<ArrayBuffer>) => void;
  /** @param insteadOf how the one that was wanted failed, where this is another. */
  readonly onEncoder: (encoder: EncoderInUse | undefined, insteadOf: ErrorBody["error"] | undefined) => void;
  readonly onProblem: (problem: CompositorProblem) => void;
}

/** An encoder of the CPU that fails twice in this time is not tried again, ms. */
const AGAIN_MS = 10_000;
/** No encoder of the browser, so that the engine's is taken. */
const ENGINE = "engine";

type OutputStatistics = Pick<
  CompositorStatistics,
  "encoderQueue" | "encodeMs" | "wantedBitrate" | "encodedBitrate" | "encodedFrameRate" | "encoder"
>;

/** Where pictures of the program go: to the encoder, and to the track that WebRTC sends. */
export class ProgramOutput implements Disposable {
  readonly #events: ProgramOutputEvents;
  #last: VideoFrame | undefined;
  /** What {@link #last} is made of. */
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #encoder: ProgramEncoder | RawProgram | undefined;
  #inUse: EncoderInUse | undefined;
  #encoding: ProgramEncoding | undefined;
  #shape: PictureShape = { width: 1280, height: 720, frameRate: 30 };
  #card = "";
  /** Grows with each change of the encoder, so that one chosen too late is none. */
  #generation = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #insteadOf: ErrorBody["error"] | undefined;
  #track: WritableStreamDefaultWriter<VideoFrame> | undefined;
  #droppedByEncoder = 0;
  #droppedByLink = 0;
  /** Whether the link is full: then pictures are left out before they are encoded, which harms no later one. */
  congested = false;

  constructor(events: ProgramOutputEvents) {
    this.#events = events;
  }

  /** Whether anybody takes pictures. */
  get wanted(): boolean {
    return this.#encoding !== undefined || this.#track !== undefined;
  }

  get dropped(): { readonly encode: number; readonly link: number } {
    return { encode: this.#droppedByEncoder, link: this.#droppedByLink };
  }

  /**
   * Takes the next picture. @param i420 of the shape that was told, in the colours of `I420_COLOURS`; it is this one's until the
   * next is taken. @param timestamp µs on the program clock.
   */
  take(i420: Uint8Array<ArrayBuffer>, timestamp: number): void {
    const { width: codedWidth, height: codedHeight } = this.#shape;
    const layout = { format: "I420", codedWidth, codedHeight, colorSpace: I420_COLOURS } as const;
    this.#bytes = i420;
    this.#next(new VideoFrame(i420, { ...layout, timestamp, duration: this.#duration() }));
  }

  /** The last picture once more. @returns false where there is none. */
  repeat(timestamp: number): boolean {
    if (this.#last === undefined) return false;
    this.#next(new VideoFrame(this.#last, { timestamp, duration: this.#duration() }));
    return true;
  }

  /** Lets go of the last picture, which nobody wants. */
  forget(): void {
    this.#last?.close();
    this.#last = undefined;
    this.#bytes = undefined;
  }

  /** Begins to encode, goes over to other settings, or ends (undefined). */
  encode(encoding: ProgramEncoding | undefined, shape: PictureShape, card: string): void {
    this.#shape = shape;
    this.#card = card;
    const before = this.#encoding;
    this.#encoding = encoding;
    if (encoding === undefined) {
      this.#stop();
    } else if (
      before?.encoder === encoding.encoder &&
      before.keyframeInterval === encoding.keyframeInterval &&
      this.#encoder !== undefined
    ) {
      this.setBitrate(encoding.bitrate);
    } else {
      this.#insteadOf = undefined;
      void this.#start(encoding, encoding.encoder);
    }
  }

  /** The program has another size or rate. */
  reshape(shape: PictureShape): void {
    this.#shape = shape;
    this.forget();
    this.#insteadOf = undefined;
    if (this.#encoding !== undefined) void this.#start(this.#encoding, this.#encoding.encoder);
  }

  /** bits/s, from the next picture on. */
  setBitrate(bitrate: number): void {
    if (this.#encoding !== undefined) this.#encoding = { ...this.#encoding, bitrate };
    if (this.#encoder !== undefined) this.#encoder.bitrate = bitrate;
  }

  forceKeyframe(): void {
    this.#encoder?.forceKeyframe();
  }

  /** Pictures go into a track from now on. */
  feed(frames: WritableStream<VideoFrame>): void {
    this.#track = frames.getWriter();
  }

  takeStatistics(seconds: number): OutputStatistics {
    const counts = this.#encoder?.takeCounts() ?? { encoded: 0, bytes: 0, encodeMs: 0, queue: 0 };
    return {
      encoderQueue: counts.queue,
      encodeMs: counts.encoded === 0 ? 0 : counts.encodeMs / counts.encoded,
      wantedBitrate: this.#encoder?.bitrate ?? 0,
      encodedBitrate: (counts.bytes * 8) / seconds,
      encodedFrameRate: counts.encoded / seconds,
      encoder: this.#inUse,
    };
  }

  [Symbol.dispose](): void {
    this.#encoding = undefined;
    this.#stop();
    this.forget();
    this.#track?.close().catch(() => undefined);
    this.#track = undefined;
  }

  #duration(): number {
    return Math.round(1_000_000 / this.#shape.frameRate);
  }

  #next(frame: VideoFrame): void {
    this.#last?.close();
    this.#last = frame;
    if (this.#encoder !== undefined) {
      if (this.congested) this.#droppedByLink += 1;
      else if (!this.#encoder.encode(frame, this.#bytes)) this.#droppedByEncoder += 1;
    }
    const track = this.#track;
    // A track that does not keep up loses pictures: WebRTC's own queue is behind it.
    if (track !== undefined && (track.desiredSize ?? 0) > 0) {
      const sent = frame.clone();
      track.write(sent).catch(() => {
        sent.close();
        if (this.#track === track) this.#track = undefined;
      });
    }
  }

  #stop(): void {
    this.#generation += 1;
    this.#encoder?.[Symbol.dispose]();
    this.#encoder = undefined;
    this.#insteadOf = undefined;
    if (this.#inUse !== undefined) {
      this.#inUse = undefined;
      this.#events.onEncoder(undefined, undefined);
    }
  }

  /**
   * An encoder that ends by itself: the hardware's is replaced by the CPU's, the CPU's by another of its kind once a while, and
   * by the engine's where none of the browser's was chosen by name.
   */
  #failed(encoding: ProgramEncoding, failed: EncoderInUse, cause: Error): void {
    this.#encoder = undefined;
    const now = performance.now();
    const again = !failed.hardware && now - this.#failedAt < AGAIN_MS;
    if (again && encoding.encoder !== "auto") {
      this.#stop();
      const error = new KliegError("encoder_unavailable", `The encoder failed again and again: ${cause.message}`);
      this.#events.onProblem({ kind: "encoder", error: error.toBody().error });
      return;
    }
    if (!failed.hardware) this.#failedAt = now;
    const error = new KliegError("encoder_unavailable", `${failed.label} stopped encoding: ${cause.message}`);
    this.#insteadOf = error.toBody().error;
    this.#events.onProblem({ kind: "encoder_changed", error: this.#insteadOf });
    void this.#start(encoding, again ? ENGINE : BROWSER_SOFTWARE);
  }

  async #start(encoding: ProgramEncoding, name: string): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    try {
      const choice = await chooseEncoder(name, this.#shape, encoding.bitrate, this.#card);
      if (generation !== this.#generation) return;
      if (choice === undefined && (name === BROWSER_HARDWARE || name === BROWSER_SOFTWARE)) {
        throw new KliegError("encoder_unavailable", "This browser cannot encode H.264 in that way, at this size.");
      }
      this.#encoder?.[Symbol.dispose]();
      const inUse = choice?.encoder ?? enginesEncoder(encoding.encoder);
      this.#encoder = choice === undefined ? this.#raw(encoding) : this.#coded(choice, encoding);
      this.#inUse = inUse;
      this.#events.onEncoder(inUse, this.#insteadOf);
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#stop();
      this.#events.onProblem({ kind: "encoder", error: KliegError.from(error).toBody().error });
    }
  }

  /** The engine encodes: by an encoder of its own, or since this browser has none. */
  #raw(encoding: ProgramEncoding): RawProgram {
    return new RawProgram(this.#shape, encoding.bitrate, this.#events.onMessage);
  }

  #coded(choice: BrowserEncoder, encoding: ProgramEncoding): ProgramEncoder {
    const next: ProgramEncoder = new ProgramEncoder(choice, encoding.keyframeInterval, {
      onMessage: this.#events.onMessage,
      onFailed: (error) => {
        if (this.#encoder === next) this.#failed(encoding, choice.encoder, error);
      },
    });
    // It may have been changed while the encoder was looked for.
    next.bitrate = this.#encoding?.bitrate ?? encoding.bitrate;
    return next;
  }
}

/** What is known of it here: which of its encoders the engine takes by itself, it does not tell. */
function enginesEncoder(name: string): EncoderInUse {
  if (name === "auto") return { name, hardware: false, label: "engine's FFmpeg", codec: "" };
  const hardware = !name.startsWith("lib");
  return { name, hardware, label: hardware ? "GPU, by FFmpeg" : "CPU, by FFmpeg", codec: "" };
}

import { PROGRAM_HEADER_BYTES, writeProgramHeader } from "@klieg/protocol";
import type { BrowserEncoder } from "./encoder-choice.ts";

/** Pictures that may wait in the encoder, as a share of a second; then pictures are left out. */
const LONGEST_QUEUE_S = 0.25;

export interface ProgramEncoderEvents {
  /** A message of `studio-program.ts`. */
  readonly onMessage: (message: Uint8Array<ArrayBuffer>) => void;
  /** It ended by itself; nothing comes any more. */
  readonly onFailed: (error: Error) => void;
}

/** What the encoder did since this was last asked, and its queue now. */
export interface EncoderCounts {
  readonly encoded: number;
  readonly bytes: number;
  /** ms from picture to coded bytes, all together. */
  readonly encodeMs: number;
  readonly queue: number;
}

/** Encodes the program, or one source by itself, with WebCodecs: H.264 with 4-byte lengths, without B-frames, as messages for the engine. */
export class ProgramEncoder implements Disposable {
  readonly #encoder: VideoEncoder;
  readonly #events: ProgramEncoderEvents;
  readonly #keyframeInterval: number;
  readonly #longestQueue: number;
  readonly #isolated: number;
  readonly #submitted = new Map<number, number>();
  #config: VideoEncoderConfig;
  #lastKeyframe: number | undefined;
  #record: Uint8Array<ArrayBuffer> | undefined;
  #keyframeWanted = false;
  #encoded = 0;
  #bytes = 0;
  #encodeMs = 0;

  /**
   * @param keyframeInterval s.
   * @param of what is no program's picture: the number of its source, and how many pictures may wait.
   */
  constructor(
    choice: BrowserEncoder,
    keyframeInterval: number,
    events: ProgramEncoderEvents,
    of?: { readonly isolated: number; readonly longestQueue: number },
  ) {
    this.#events = events;
    this.#config = choice.config;
    this.#keyframeInterval = keyframeInterval * 1_000_000;
    const queue = Math.max(3, Math.ceil((choice.config.framerate ?? 30) * LONGEST_QUEUE_S));
    this.#longestQueue = of?.longestQueue ?? queue;
    this.#isolated = of?.isolated ?? 0;
    this.#encoder = new VideoEncoder({
      output: (chunk, metadata) => this.#output(chunk, metadata),
      error: (error) => events.onFailed(error),
    });
    this.#encoder.configure(choice.config);
  }

  /** bits/s that it is told to make. */
  get bitrate(): number {
    return this.#config.bitrate ?? 0;
  }

  /** From the next picture on. @param bitrate bits/s. */
  set bitrate(bitrate: number) {
    if (bitrate === this.#config.bitrate || this.#encoder.state !== "configured") return;
    this.#config = { ...this.#config, bitrate };
    this.#encoder.configure(this.#config);
  }

  /** Makes the next picture a keyframe. */
  forceKeyframe(): void {
    this.#keyframeWanted = true;
  }

  /** Encodes a picture, which stays its caller's. @returns false where the queue is full and it is left out. */
  encode(frame: VideoFrame): boolean {
    if (this.#encoder.state !== "configured") return true;
    if (this.#submitted.size >= this.#longestQueue) return false;
    const { timestamp } = frame;
    const due = this.#lastKeyframe === undefined || timestamp - this.#lastKeyframe >= this.#keyframeInterval;
    const keyFrame = due || this.#keyframeWanted;
    if (keyFrame) {
      this.#lastKeyframe = timestamp;
      this.#keyframeWanted = false;
    }
    this.#submitted.set(timestamp, performance.now());
    this.#encoder.encode(frame, { keyFrame });
    return true;
  }

  takeCounts(): EncoderCounts {
    const counts = {
      encoded: this.#encoded,
      bytes: this.#bytes,
      encodeMs: this.#encodeMs,
      queue: this.#submitted.size,
    };
    this.#encoded = 0;
    this.#bytes = 0;
    this.#encodeMs = 0;
    return counts;
  }

  /** Gives out what still waits in it. */
  async drain(): Promise<void> {
    if (this.#encoder.state !== "configured") return;
    try {
      await this.#encoder.flush();
    } catch {
      // It failed meanwhile, and said so.
    }
  }

  [Symbol.dispose](): void {
    if (this.#encoder.state !== "closed") this.#encoder.close();
    this.#submitted.clear();
  }

  #output(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    const started = this.#submitted.get(chunk.timestamp);
    if (started !== undefined) this.#encodeMs += performance.now() - started;
    // An encoder that leaves a picture out by itself never gives it back.
    for (const timestamp of this.#submitted.keys()) if (timestamp <= chunk.timestamp) this.#submitted.delete(timestamp);
    const { width, height } = this.#config;
    const shape = {
      upload: 0,
      isolated: this.#isolated,
      width,
      height,
      sampleRate: 0,
      channels: 0,
      timestamp: chunk.timestamp,
    };
    const description = metadata?.decoderConfig?.description;
    if (description !== undefined) {
      this.#record = ArrayBuffer.isView(description)
        ? new Uint8Array(description.buffer as ArrayBuffer, description.byteOffset, description.byteLength).slice()
        : new Uint8Array(description as ArrayBuffer).slice();
    }
    const record = this.#record;
    // Before every keyframe: an engine that was lost meanwhile begins there.
    if (record !== undefined && chunk.type === "key") {
      const message = new Uint8Array(PROGRAM_HEADER_BYTES + record.length);
      message.set(record, PROGRAM_HEADER_BYTES);
      writeProgramHeader(message, { kind: "avc_config", keyframe: false, ...shape });
      this.#events.onMessage(message);
    }
    const message = new Uint8Array(PROGRAM_HEADER_BYTES + chunk.byteLength);
    chunk.copyTo(message.subarray(PROGRAM_HEADER_BYTES));
    writeProgramHeader(message, { kind: "avc", keyframe: chunk.type === "key", ...shape });
    this.#encoded += 1;
    this.#bytes += chunk.byteLength;
    this.#events.onMessage(message);
  }
}

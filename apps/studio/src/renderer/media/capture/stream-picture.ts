import type { CaptureFrame } from "@klieg/protocol";

export interface StreamPictureOptions {
  readonly hardwareDecode: boolean;
  readonly lowLatency: boolean;
  /** The browser does not decode what comes. */
  readonly onUndecodable: (detail: string) => void;
}

/** Coded pictures that wait for the decoder; beyond, it does not keep up, and they are left out up to a keyframe. */
const MOST_DECODING = 30;
/** A decoder that fails is made anew, but not for ever: after so many in a row another form of the pictures is asked for. */
const MOST_FAILURES = 3;

/** Pictures of a stream source, decoded into a track. */
export class StreamPicture implements Disposable {
  readonly track: MediaStreamTrack;
  readonly #options: StreamPictureOptions;
  readonly #writer: WritableStreamDefaultWriter<VideoFrame>;
  #decoder: VideoDecoder | undefined;
  #config: VideoDecoderConfig | undefined;
  #waitsForKeyframe = true;
  #failures = 0;
  #closed = false;

  constructor(options: StreamPictureOptions) {
    this.#options = options;
    const generator = new MediaStreamTrackGenerator({ kind: "video" });
    this.track = generator;
    this.#writer = generator.writable.getWriter();
  }

  /** @param config AVCDecoderConfigurationRecord (ISO/IEC 14496-15 § 5.3.3.1). */
  configure(config: Uint8Array<ArrayBuffer>): void {
    const profile = Array.from(config.subarray(1, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#config = {
      codec: `avc1.${profile}`,
      description: config,
      optimizeForLatency: this.#options.lowLatency,
      hardwareAcceleration: this.#options.hardwareDecode ? "no-preference" : "prefer-software",
    };
    this.#open();
  }

  push({ keyframe, timestamp, data }: CaptureFrame): void {
    const decoder = this.#decoder;
    if (decoder === undefined || decoder.state !== "configured") return;
    if (decoder.decodeQueueSize > MOST_DECODING) this.#waitsForKeyframe = true;
    if (this.#waitsForKeyframe && (!keyframe || decoder.decodeQueueSize > MOST_DECODING)) return;
    this.#waitsForKeyframe = false;
    try {
      decoder.decode(new EncodedVideoChunk({ type: keyframe ? "key" : "delta", timestamp, data }));
    } catch (error) {
      this.#failed(decoder, error);
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#closeDecoder();
    this.track.stop();
    // A track that was stopped has closed it already.
    this.#writer.close().catch(() => undefined);
  }

  #open(): void {
    this.#closeDecoder();
    const config = this.#config;
    if (config === undefined || this.#closed) return;
    this.#waitsForKeyframe = true;
    const decoder: VideoDecoder = new VideoDecoder({
      output: (frame) => this.#show(decoder, frame),
      error: (error) => this.#failed(decoder, error),
    });
    this.#decoder = decoder;
    try {
      decoder.configure(config);
    } catch (error) {
      this.#failed(decoder, error);
    }
  }

  #show(decoder: VideoDecoder, frame: VideoFrame): void {
    if (this.#closed || decoder !== this.#decoder) {
      frame.close();
      return;
    }
    this.#failures = 0;
    this.#writer.write(frame).catch(() => frame.close());
  }

  #failed(decoder: VideoDecoder, error: unknown): void {
    if (decoder !== this.#decoder || this.#closed) return;
    this.#decoder = undefined;
    if (decoder.state !== "closed") decoder.close();
    this.#failures += 1;
    const unsupported = error instanceof DOMException && error.name === "NotSupportedError";
    if (unsupported || this.#failures >= MOST_FAILURES) {
      this.#options.onUndecodable(error instanceof Error ? error.message : String(error));
    } else this.#open();
  }

  #closeDecoder(): void {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    if (decoder !== undefined && decoder.state !== "closed") decoder.close();
  }
}

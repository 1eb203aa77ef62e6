/** The newest picture of one source: frames of a track, or a still. */
export class PictureSource implements Disposable {
  readonly #onSize: (width: number, height: number) => void;
  #reader: ReadableStreamDefaultReader<VideoFrame> | undefined;
  #frame: VideoFrame | undefined;
  #still: ImageBitmap | undefined;
  #placeholder = false;
  #version = 0;
  #width = 0;
  #height = 0;
  #arrived = 0;

  /** @param onSize told when its pictures have another size, pixels. */
  constructor(onSize: (width: number, height: number) => void) {
    this.#onSize = onSize;
  }

  /** Grows with each new picture. */
  get version(): number {
    return this.#version;
  }

  get width(): number {
    return this.#width;
  }

  get height(): number {
    return this.#height;
  }

  /** Whether it is drawn in place of a picture that is not there: filters are not for it. */
  get placeholder(): boolean {
    return this.#placeholder;
  }

  /** The picture where it has not been taken yet, or is a still; it stays this source's. */
  get picture(): VideoFrame | ImageBitmap | undefined {
    return this.#frame ?? this.#still;
  }

  /** Lets go of a frame that was copied to the GPU: devices have only a few to lend. Stills are kept, for a GPU that is lost. */
  copied(): void {
    this.#frame?.close();
    this.#frame = undefined;
  }

  /** Pictures that arrived since this was last asked. */
  takeArrived(): number {
    const arrived = this.#arrived;
    this.#arrived = 0;
    return arrived;
  }

  /** Shows what comes from a track from now on; until it comes, what was there before. */
  follow(frames: ReadableStream<VideoFrame>): void {
    this.#leave();
    const reader = frames.getReader();
    this.#reader = reader;
    void this.#read(reader);
  }

  /** Shows a still, whose owner this becomes. @param placeholder whether it stands for a picture that is not there. */
  show(still: ImageBitmap, placeholder: boolean): void {
    this.#leave();
    this.copied();
    this.#still?.close();
    this.#still = still;
    this.#placeholder = placeholder;
    this.#version += 1;
    this.#measure(still.width, still.height);
  }

  [Symbol.dispose](): void {
    this.#leave();
    this.copied();
    this.#still?.close();
    this.#still = undefined;
  }

  /** The read that is pending ends the stream. */
  #leave(): void {
    this.#reader = undefined;
  }

  async #read(reader: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
    try {
      for (;;) {
        const { done, value: frame } = await reader.read();
        if (done) return;
        if (this.#reader !== reader) {
          frame.close();
          // Not before: of a stream from another thread, what is on its way when it is cancelled is closed by nobody, and a
          // camera gives no more pictures while too many are out.
          await reader.cancel();
          return;
        }
        this.#frame?.close();
        this.#frame = frame;
        this.#still?.close();
        this.#still = undefined;
        this.#placeholder = false;
        this.#version += 1;
        this.#arrived += 1;
        this.#measure(frame.displayWidth, frame.displayHeight);
      }
    } catch {
      // The track is gone: the page knows by the track itself, and says what to show instead.
    }
  }

  #measure(width: number, height: number): void {
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    this.#onSize(width, height);
  }
}

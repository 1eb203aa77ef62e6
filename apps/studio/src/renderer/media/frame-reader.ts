/** Reads the pictures of one track after another; nothing more comes of the one before. */
export class FrameReader implements Disposable {
  readonly #onFrame: (frame: VideoFrame) => void;
  #reader: ReadableStreamDefaultReader<VideoFrame> | undefined;

  /** @param onFrame told of each picture, whose owner it becomes. */
  constructor(onFrame: (frame: VideoFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Reads `frames` from now on. */
  follow(frames: ReadableStream<VideoFrame>): void {
    const reader = frames.getReader();
    this.#reader = reader;
    void this.#read(reader);
  }

  /** Nothing comes any more. The read that is pending ends the stream. */
  leave(): void {
    this.#reader = undefined;
  }

  [Symbol.dispose](): void {
    this.leave();
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
        this.#onFrame(frame);
      }
    } catch {
      // The track is gone: the page knows by the track itself, and says what to show instead.
    }
  }
}

import { FrameReader } from "../frame-reader.ts";

/** The newest picture of one source: frames of a track, or a still. */
export class PictureSource implements Disposable {
  readonly #onSize: (width: number, height: number) => void;
  readonly #frames = new FrameReader((frame) => this.#take(frame));
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
    this.#frames.follow(frames);
  }

  /** Shows a still, whose owner this becomes. @param placeholder whether it stands for a picture that is not there. */
  show(still: ImageBitmap, placeholder: boolean): void {
    this.#frames.leave();
    this.copied();
    this.#still?.close();
    this.#still = still;
    this.#placeholder = placeholder;
    this.#version += 1;
    this.#measure(still.width, still.height);
  }

  [Symbol.dispose](): void {
    this.#frames.leave();
    this.copied();
    this.#still?.close();
    this.#still = undefined;
  }

  #take(frame: VideoFrame): void {
    this.copied();
    this.#frame = frame;
    this.#still?.close();
    this.#still = undefined;
    this.#placeholder = false;
    this.#version += 1;
    this.#arrived += 1;
    this.#measure(frame.displayWidth, frame.displayHeight);
  }

  #measure(width: number, height: number): void {
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    this.#onSize(width, height);
  }
}

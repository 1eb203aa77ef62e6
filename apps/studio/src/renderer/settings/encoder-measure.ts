import type { PictureShape } from "../media/encoder/encoder-choice.ts";

/** What an encoder did with a test picture. */
export interface Measured {
  /** As `Encoding.encoder` names it. */
  readonly encoder: string;
  /** For people: "NVIDIA GPU", "CPU". */
  readonly label: string;
  readonly hardware: boolean;
  readonly shape: PictureShape;
  /** As multiples of the rate that was asked for; 0 where it failed. */
  readonly speed: number;
}

/** Frames of a test: 1.5 s at 60 a second. */
const FRAMES = 90;
/** A test that takes longer is over: what was encoded by then is what counts, ms. */
const LONGEST_MS = 6000;
/** Frames handed in ahead of the encoder. */
const AHEAD = 4;

/**
 * Has an encoder of the browser encode a moving picture as fast as it can.
 * @param signal ends it: somebody needs the computer for something else.
 * @returns as multiples of the shape's frame rate; 0 where it failed.
 */
export async function measureBrowserEncoder(
  config: VideoEncoderConfig,
  shape: PictureShape,
  signal: AbortSignal,
): Promise<number> {
  const { width, height, frameRate } = shape;
  const canvas = new OffscreenCanvas(width, height);
  const picture = canvas.getContext("2d", { alpha: false });
  if (picture === null) return 0;
  let encoded = 0;
  let failed = false;
  let wake: (() => void) | undefined;
  const encoder = new VideoEncoder({
    output: () => {
      encoded += 1;
      wake?.();
    },
    error: () => {
      failed = true;
      wake?.();
    },
  });
  // Drawing counts for nothing: the pictures are there before the clock runs.
  const frames: VideoFrame[] = [];
  try {
    encoder.configure(config);
    for (let i = 0; i < AHEAD * 2; i += 1) {
      paint(picture, width, height, i);
      frames.push(new VideoFrame(canvas, { timestamp: 0 }));
    }
    const begun = performance.now();
    for (let i = 0; i < FRAMES && !failed && !signal.aborted && performance.now() - begun < LONGEST_MS; i += 1) {
      const source = frames[i % frames.length];
      if (source === undefined) break;
      const frame = new VideoFrame(source, { timestamp: Math.round((i * 1_000_000) / frameRate) });
      encoder.encode(frame, { keyFrame: i % (2 * frameRate) === 0 });
      frame.close();
      while (encoder.encodeQueueSize > AHEAD && !failed && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const patience = setTimeout(resolve, 50);
        await promise;
        clearTimeout(patience);
      }
    }
    if (signal.aborted) return 0;
    if (!failed) await encoder.flush();
    const seconds = (performance.now() - begun) / 1000;
    return failed || encoded === 0 ? 0 : encoded / seconds / frameRate;
  } catch {
    // An encoder that refuses what it said it supports has no speed.
    return 0;
  } finally {
    for (const frame of frames) frame.close();
    if (encoder.state !== "closed") encoder.close();
  }
}

/** A picture with detail everywhere that moves, as a game or a street has. */
function paint(picture: OffscreenCanvasRenderingContext2D, width: number, height: number, step: number): void {
  const cell = Math.max(8, Math.round(width / 80));
  for (let y = 0; y < height; y += cell) {
    for (let x = 0; x < width; x += cell) {
      const hue = (x * 3 + y * 5 + step * 40 + ((x * y) % 97)) % 360;
      picture.fillStyle = `hsl(${hue} 60% ${30 + ((x + y + step * cell) % 40)}%)`;
      picture.fillRect(x, y, cell, cell);
    }
  }
}

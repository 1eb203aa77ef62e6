import { MediaError } from "../media-error.ts";
import { type Vp9FrameLayout, Vp9ReferenceSizes } from "./reference-sizes.ts";

/** VP9 Annex B: the index of a superframe has 3 bits for the number of frames. */
export const MAX_VP9_SUPERFRAME_FRAMES = 8;

/** The frames of one picture as one unit of data. */
export interface Vp9Picture {
  /** A frame or a superframe, in memory of its own. */
  readonly data: Uint8Array;
  /** Of the frame that is shown; `undefined` where it cannot be told. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
}

/**
 * Joins the spatial layers of each picture of a VP9 stream into a superframe (VP9 Annex B) that shows one picture.
 *
 * Encoders of layered streams mark every layer as shown, for receivers of that layer alone. In a superframe only one frame
 * may be: decoders that take it by its frames, as FFmpeg's does, would show the same picture several times, small and
 * large. So the lower layers are marked as not shown, which nothing in their decoding depends on where sizes differ.
 */
export class Vp9LayerJoiner {
  readonly #sizes = new Vp9ReferenceSizes();

  /**
   * @param data the frames, lowest layer first, one after the other.
   * @param ends where each ends; the first begins at 0. At least one.
   * @throws MediaError for more frames than a superframe has room for.
   */
  join(data: Uint8Array, ends: readonly number[]): Vp9Picture {
    if (ends.length > MAX_VP9_SUPERFRAME_FRAMES) throw new MediaError("malformed", "too many frames for a superframe");
    const frames: Uint8Array[] = [];
    const layouts: (Vp9FrameLayout | undefined)[] = [];
    let start = 0;
    for (const end of ends) {
      const frame = data.subarray(start, end);
      frames.push(frame);
      layouts.push(this.#layoutOf(frame));
      start = end;
    }
    const size = layouts.at(-1);
    const [first] = frames;
    if (first !== undefined && frames.length === 1) return { data: new Uint8Array(first), size };
    const hidden = frames.map((frame, i) => {
      const layout = layouts[i];
      const next = layouts[i + 1];
      if (layout === undefined || next === undefined || !layout.shown) return frame;
      // Motion vectors of a frame that was shown are taken over by the next of the same size.
      if (layout.width === next.width && layout.height === next.height) return frame;
      return hide(frame, layout);
    });
    return { data: superframe(hidden), size };
  }

  /** After a loss: nothing is known before the next keyframe. */
  reset(): void {
    this.#sizes.reset();
  }

  #layoutOf(frame: Uint8Array): Vp9FrameLayout | undefined {
    try {
      return this.#sizes.read(frame);
    } catch (error) {
      // The decoder will tell; here it only matters for layers.
      if (error instanceof MediaError) return undefined;
      throw error;
    }
  }
}

/**
 * The frame with show_frame cleared. Where it is predicted, intra_only follows show_frame then: a zero, and all bits after
 * it in the uncompressed header move on by one.
 */
function hide(frame: Uint8Array, layout: Vp9FrameLayout): Uint8Array {
  const { keyframe, showFrameBit, headerBits } = layout;
  const inserted = keyframe ? 0 : 1;
  const headerBytes = (headerBits + 7) >> 3;
  const newHeaderBytes = (headerBits + inserted + 7) >> 3;
  const out = new Uint8Array(frame.length + newHeaderBytes - headerBytes);
  for (let bit = 0; bit < headerBits; bit += 1) {
    if (bit === showFrameBit) continue;
    const value = ((frame[bit >> 3] as number) >> (7 - (bit & 7))) & 1;
    // error_resilient_mode comes between the two.
    const to = bit > showFrameBit + 1 ? bit + inserted : bit;
    out[to >> 3] = (out[to >> 3] as number) | (value << (7 - (to & 7)));
  }
  out.set(frame.subarray(headerBytes), newHeaderBytes);
  return out;
}

/** Frames, and the index behind them. */
function superframe(frames: readonly Uint8Array[]): Uint8Array {
  const largest = frames.reduce((most, { length }) => Math.max(most, length), 0);
  const sizeBytes = largest < 2 ** 8 ? 1 : largest < 2 ** 16 ? 2 : largest < 2 ** 24 ? 3 : 4;
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  const out = new Uint8Array(bytes + 2 + sizeBytes * frames.length);
  let at = 0;
  for (const frame of frames) {
    out.set(frame, at);
    at += frame.length;
  }
  const marker = 0xc0 | ((sizeBytes - 1) << 3) | (frames.length - 1);
  out[at++] = marker;
  for (const { length } of frames) {
    for (let i = 0, size = length; i < sizeBytes; i += 1, size >>>= 8) out[at++] = size;
  }
  out[at] = marker;
  return out;
}

import type { VideoTrack } from "../access-unit.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { MediaError } from "../media-error.ts";
import { MAX_VP9_SUPERFRAME_FRAMES, Vp9LayerJoiner } from "../vp9/superframe.ts";
import { Vp9ElementaryStream } from "../vp9/vp9-elementary-stream.ts";
import type { VideoPayloadFormat } from "./depacketizer.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { parseVp9PayloadDescriptor } from "./vp9-payload-descriptor.ts";

/**
 * The payload format of VP9 (RFC 9628). The layer frames of a picture become one superframe: the picture of the highest
 * spatial layer that came, with all that it is predicted from.
 */
export class Vp9PayloadFormat implements VideoPayloadFormat {
  readonly #stream: Vp9ElementaryStream;
  readonly #frame = new FrameBuffer();
  /** Where the layer frames end that are whole. */
  readonly #ends: number[] = [];
  readonly #layers = new Vp9LayerJoiner();
  #withinFrame = false;

  constructor(trackId: number) {
    this.#stream = new Vp9ElementaryStream(trackId);
  }

  get track(): VideoTrack | undefined {
    return this.#stream.track;
  }

  begin(payload: Uint8Array, sure: boolean): boolean {
    if (sure) return true;
    try {
      const { beginsFrame, spatialLayer } = parseVp9PayloadDescriptor(payload);
      return beginsFrame && spatialLayer === 0;
    } catch (error) {
      if (error instanceof MediaError) return false;
      throw error;
    }
  }

  append(payload: Uint8Array): void {
    const descriptor = parseVp9PayloadDescriptor(payload);
    if (descriptor.beginsFrame === this.#withinFrame) {
      const what = this.#withinFrame ? "a VP9 frame within another" : "a VP9 frame without its beginning";
      throw new MediaError("malformed", what);
    }
    if (descriptor.bytes === payload.length) throw new MediaError("truncated", "VP9 payload without a payload");
    if (this.#ends.length === MAX_VP9_SUPERFRAME_FRAMES) {
      throw new MediaError("malformed", "too many VP9 frames in one picture");
    }
    this.#frame.append(payload.subarray(descriptor.bytes));
    this.#withinFrame = !descriptor.endsFrame;
    if (descriptor.endsFrame) this.#ends.push(this.#frame.length);
  }

  finish(): CodedFrame {
    try {
      if (this.#withinFrame || this.#ends.length === 0) throw new MediaError("malformed", "VP9 frame without its end");
      const { data, size } = this.#layers.join(this.#frame.view, this.#ends);
      return this.#stream.push(data, size);
    } finally {
      this.#clear();
    }
  }

  discard(): void {
    this.#layers.reset();
    this.#clear();
  }

  #clear(): void {
    this.#frame.clear();
    this.#ends.length = 0;
    this.#withinFrame = false;
  }
}

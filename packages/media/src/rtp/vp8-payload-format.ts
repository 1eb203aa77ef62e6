import type { VideoTrack } from "../access-unit.ts";
import type { CodedFrame } from "../coded-frame.ts";
import { MediaError } from "../media-error.ts";
import { Vp8ElementaryStream } from "../vp8/vp8-elementary-stream.ts";
import type { VideoPayloadFormat } from "./depacketizer.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { parseVp8PayloadDescriptor } from "./vp8-payload-descriptor.ts";

/** The payload format of VP8 (RFC 7741). */
export class Vp8PayloadFormat implements VideoPayloadFormat {
  readonly #stream: Vp8ElementaryStream;
  readonly #frame = new FrameBuffer();

  constructor(trackId: number) {
    this.#stream = new Vp8ElementaryStream(trackId);
  }

  get track(): VideoTrack | undefined {
    return this.#stream.track;
  }

  begin(payload: Uint8Array, sure: boolean): boolean {
    return sure || ((payload[0] as number) & 0x17) === 0x10;
  }

  append(payload: Uint8Array): void {
    const { beginsFrame, bytes } = parseVp8PayloadDescriptor(payload);
    if (beginsFrame !== (this.#frame.length === 0)) {
      throw new MediaError(
        "malformed",
        beginsFrame ? "a VP8 frame within another" : "a VP8 frame without its beginning",
      );
    }
    if (bytes === payload.length) throw new MediaError("truncated", "VP8 payload without a payload");
    this.#frame.append(payload.subarray(bytes));
  }

  finish(): CodedFrame {
    try {
      const frame = this.#stream.push(this.#frame.view);
      return { ...frame, data: this.#frame.detached(frame.data) };
    } finally {
      this.discard();
    }
  }

  discard(): void {
    this.#frame.clear();
  }
}

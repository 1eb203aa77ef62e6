import { PROGRAM_HEADER_BYTES, writeProgramHeader } from "@klieg/protocol";
import type { EncoderCounts } from "./program-encoder.ts";

/** Hands pictures to the engine as they are, for it to encode: its FFmpeg has encoders that browsers have not. */
export class RawProgram implements Disposable {
  readonly #size: { readonly width: number; readonly height: number };
  readonly #onMessage: (message: Uint8Array<ArrayBuffer>) => void;
  #sent = 0;
  /** bits/s that the engine's encoder makes; it knows by itself. */
  bitrate: number;

  constructor(
    size: { readonly width: number; readonly height: number },
    bitrate: number,
    onMessage: (message: Uint8Array<ArrayBuffer>) => void,
  ) {
    this.#size = size;
    this.bitrate = bitrate;
    this.#onMessage = onMessage;
  }

  /** Sends a picture, given as its I420 bytes; they stay their caller's. */
  encode({ timestamp }: VideoFrame, i420: Uint8Array<ArrayBuffer> | undefined): boolean {
    if (i420 === undefined) return true;
    const message = new Uint8Array(PROGRAM_HEADER_BYTES + i420.length);
    message.set(i420, PROGRAM_HEADER_BYTES);
    const { width, height } = this.#size;
    const shape = { upload: 0, width, height, sampleRate: 0, channels: 0, timestamp };
    writeProgramHeader(message, { kind: "i420", keyframe: true, ...shape });
    this.#sent += 1;
    this.#onMessage(message);
    return true;
  }

  forceKeyframe(): void {
    // The engine's encoder makes them.
  }

  /** Pictures count, bytes do not: they are not coded here. */
  takeCounts(): EncoderCounts {
    const encoded = this.#sent;
    this.#sent = 0;
    return { encoded, bytes: 0, encodeMs: 0, queue: 0 };
  }

  [Symbol.dispose](): void {
    // Holds nothing.
  }
}

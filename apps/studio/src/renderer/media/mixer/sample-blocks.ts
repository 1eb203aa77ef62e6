import { BLOCK } from "./program-samples.ts";

/** Blocks kept to be used again. */
const SPARE_BLOCKS = 16;

/** A block that left the sound's thread. */
export interface SampleBlock {
  /** Interleaved stereo, 32-bit floating point, 20 ms. */
  readonly buffer: ArrayBuffer;
  /** The context's frame of its first sample. */
  readonly frame: number;
  /** When it was mixed, Unix ms: the sound's thread has no finer clock. */
  readonly at: number;
}

/** Gathers what a processor makes into blocks for another thread, which gives their memory back. */
export class SampleBlocks {
  readonly #send: (block: SampleBlock) => void;
  readonly #spare: ArrayBuffer[] = [];
  #block = new Float32Array(2 * BLOCK);
  #filled = 0;
  #blockFrame = 0;

  constructor(send: (block: SampleBlock) => void) {
    this.#send = send;
  }

  /** @param frame the context's, of the first sample. */
  gather(left: Float32Array, right: Float32Array, frame: number): void {
    if (this.#filled === 0) this.#blockFrame = frame;
    for (let i = 0; i < left.length; i += 1) {
      this.#block[2 * this.#filled] = left[i] as number;
      this.#block[2 * this.#filled + 1] = right[i] as number;
      this.#filled += 1;
      if (this.#filled < BLOCK) continue;
      this.#send({ buffer: this.#block.buffer, frame: this.#blockFrame, at: Date.now() });
      const spare = this.#spare.pop();
      this.#block = spare === undefined ? new Float32Array(2 * BLOCK) : new Float32Array<ArrayBuffer>(spare);
      this.#filled = 0;
      this.#blockFrame = frame + i + 1;
    }
  }

  /** Takes back the memory of a block. */
  reuse(buffer: ArrayBuffer): void {
    if (this.#spare.length < SPARE_BLOCKS) this.#spare.push(buffer);
  }
}

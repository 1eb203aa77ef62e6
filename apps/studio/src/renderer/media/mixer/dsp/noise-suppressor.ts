import type { SoundProcessor } from "./sound-processor.ts";

/** Samples of one channel that RNNoise takes at once. */
const FRAME = 480;
/** It takes samples as 16-bit numbers, in floating point. */
const SCALE = 32_768;

/** What RNNoise's WebAssembly exports, as C does. */
interface RnnoiseExports {
  readonly memory: WebAssembly.Memory;
  __wasm_call_ctors(): void;
  rnnoise_get_frame_size(): number;
  rnnoise_create(model: number): number;
  /** @returns how likely it is that somebody speaks, 0 to 1. */
  rnnoise_process_frame(state: number, out: number, input: number): number;
  malloc(bytes: number): number;
}

/**
 * Takes the noise out of speech (RNNoise, Valin 2018: a small recurrent network over bands of the spectrum). Each channel has
 * a state of its own; where both are the same, as those of most microphones, one is worked on.
 */
export class NoiseSuppressor implements SoundProcessor {
  /** A frame that is gathered, and one that RNNoise itself holds back to overlap them. */
  readonly latency = 2 * FRAME;
  readonly reductionDb = 0;
  readonly #rnnoise: RnnoiseExports;
  readonly #states: readonly [number, number];
  readonly #address: number;
  readonly #frame: Float32Array;
  readonly #left = new Float32Array(FRAME);
  readonly #right = new Float32Array(FRAME);
  #position = 0;

  /** @throws Error where the module is not RNNoise, or memory is short. */
  constructor(module: WebAssembly.Module) {
    this.#rnnoise = instantiate(module);
    this.#states = [this.#rnnoise.rnnoise_create(0), this.#rnnoise.rnnoise_create(0)];
    this.#address = this.#rnnoise.malloc(FRAME * Float32Array.BYTES_PER_ELEMENT);
    if (this.#states.includes(0) || this.#address === 0) throw new Error("RNNoise has no memory");
    this.#frame = new Float32Array(this.#rnnoise.memory.buffer, this.#address, FRAME);
  }

  process(left: Float32Array, right: Float32Array): void {
    for (let i = 0; i < left.length; i += 1) {
      const at = this.#position;
      const l = left[i] as number;
      const r = right[i] as number;
      // The ring has the frame before, done, in the place that this one is written to.
      left[i] = this.#left[at] as number;
      right[i] = this.#right[at] as number;
      this.#left[at] = l;
      this.#right[at] = r;
      this.#position = at + 1;
      if (this.#position === FRAME) {
        this.#position = 0;
        const same = areSame(this.#left, this.#right);
        this.#suppress(this.#states[0], this.#left);
        if (same) this.#right.set(this.#left);
        else this.#suppress(this.#states[1], this.#right);
      }
    }
  }

  #suppress(state: number, samples: Float32Array): void {
    const frame = this.#frame;
    for (let i = 0; i < FRAME; i += 1) frame[i] = (samples[i] as number) * SCALE;
    this.#rnnoise.rnnoise_process_frame(state, this.#address, this.#address);
    for (let i = 0; i < FRAME; i += 1) samples[i] = (frame[i] as number) / SCALE;
  }
}

function areSame(a: Float32Array, b: Float32Array): boolean {
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function instantiate(module: WebAssembly.Module): RnnoiseExports {
  const instance = new WebAssembly.Instance(module, {
    env: {
      // C's memcpy, which says where it has copied to.
      emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
        memoryOf(instance).copyWithin(to, from, from + bytes);
        return to;
      },
      // What it has from the start is enough for many states; more would move the memory away under our view of it.
      emscripten_resize_heap: () => 0,
      __assert_fail: () => {
        throw new Error("RNNoise found itself in a state that cannot be");
      },
    },
  });
  const rnnoise = instance.exports as unknown as RnnoiseExports;
  rnnoise.__wasm_call_ctors();
  if (rnnoise.rnnoise_get_frame_size() !== FRAME) throw new Error("this RNNoise has frames of another length");
  return rnnoise;
}

function memoryOf(instance: WebAssembly.Instance): Uint8Array {
  return new Uint8Array((instance.exports as unknown as RnnoiseExports).memory.buffer);
}

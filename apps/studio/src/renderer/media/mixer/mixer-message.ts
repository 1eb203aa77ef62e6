import type { StripSettings } from "./dsp/channel-strip.ts";

/** Names under which the mixer's processors are known to an audio context. */
export const STRIP_PROCESSOR = "klieg-strip";
export const PROGRAM_PROCESSOR = "klieg-program";
export const MIX_MINUS_PROCESSOR = "klieg-mix-minus";

/** What a strip is told. */
export type StripMessage =
  | { readonly type: "settings"; readonly settings: StripSettings }
  | { readonly type: "rnnoise"; readonly module: WebAssembly.Module }
  | { readonly type: "close" };

export type StripReport =
  /** About 20 times a second: peak and root mean square, dBFS, and reduction, dB. */
  | Float64Array
  /** Noise suppression could not be had. */
  | { readonly problem: string };

/** What the program's processor is told. */
export type ProgramMessage =
  | { readonly type: "reset_loudness" }
  /** A block to be used again. */
  | { readonly type: "block"; readonly buffer: ArrayBuffer }
  | { readonly type: "close" };

/** What the mix-minus' processor is told. */
export type MixMinusMessage = { readonly type: "close" };

/** What the program's processor tells. */
export type ProgramReport =
  /** Peak, root mean square, reduction, as a strip; then momentary, short-term and integrated loudness, LUFS. */
  | Float64Array
  | {
      /** Interleaved stereo, 32-bit floating point, 20 ms. */
      readonly buffer: ArrayBuffer;
      /** The context's frame of its first sample. */
      readonly frame: number;
      /** When it was mixed, Unix ms: the sound's thread has no finer clock. */
      readonly at: number;
    };

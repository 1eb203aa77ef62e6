import type { StripSettings } from "./dsp/channel-strip.ts";
import type { SampleBlock } from "./sample-blocks.ts";

/** Names under which the mixer's processors are known to an audio context. */
export const STRIP_PROCESSOR = "klieg-strip";
export const PROGRAM_PROCESSOR = "klieg-program";
export const MIX_MINUS_PROCESSOR = "klieg-mix-minus";

/** What a strip is told. */
export type StripMessage =
  | { readonly type: "settings"; readonly settings: StripSettings }
  | { readonly type: "rnnoise"; readonly module: WebAssembly.Module }
  /** Whether its sound is wanted by itself. */
  | { readonly type: "tap"; readonly on: boolean }
  /** A block to be used again. */
  | { readonly type: "block"; readonly buffer: ArrayBuffer }
  | { readonly type: "close" };

export type StripReport =
  /** About 20 times a second: peak and root mean square, dBFS, and reduction, dB. */
  | Float64Array
  /** Its sound, where it is wanted by itself. */
  | SampleBlock
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
  Float64Array | SampleBlock;

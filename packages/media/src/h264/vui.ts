import type { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";

/** Colour description as in ISO/IEC 23091-2 (the values of H.264 tables E-3 to E-5). */
export interface ColourDescription {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
}

/** Video usability information, H.264 E.1.1. */
export interface H264Vui {
  /** Width : height of a sample; [1, 1] unless told otherwise. */
  readonly sampleAspectRatio: readonly [number, number];
  readonly fullRange: boolean;
  readonly colour: ColourDescription | undefined;
  /** Frames a second: time_scale / (2 num_units_in_tick). */
  readonly frameRate: number | undefined;
  readonly fixedFrameRate: boolean;
  readonly picStructPresent: boolean;
  readonly maxNumReorderFrames: number | undefined;
  readonly maxDecFrameBuffering: number | undefined;
}

const EXTENDED_SAR = 255;

/** Sample aspect ratios by aspect_ratio_idc, H.264 table E-1 (HEVC's is the same). */
export const SAMPLE_ASPECT_RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
];

/** Reads aspect_ratio_idc and what depends on it. An unspecified ratio counts as square. */
export function readSampleAspectRatio(reader: BitReader): readonly [number, number] {
  const idc = reader.u(8);
  if (idc === EXTENDED_SAR) {
    const width = reader.u(16);
    const height = reader.u(16);
    return width === 0 || height === 0 ? [1, 1] : [width, height];
  }
  return SAMPLE_ASPECT_RATIOS[idc] ?? [1, 1];
}

/** @throws MediaError */
export function readVui(reader: BitReader): H264Vui {
  const sampleAspectRatio = reader.flag() ? readSampleAspectRatio(reader) : ([1, 1] as const);
  if (reader.flag()) reader.skip(1); // overscan
  let fullRange = false;
  let colour: ColourDescription | undefined;
  if (reader.flag()) {
    reader.skip(3); // video_format
    fullRange = reader.flag();
    if (reader.flag()) colour = { primaries: reader.u(8), transfer: reader.u(8), matrix: reader.u(8) };
  }
  if (reader.flag()) {
    reader.ue(); // chroma_sample_loc_type_top_field
    reader.ue(); // chroma_sample_loc_type_bottom_field
  }
  let frameRate: number | undefined;
  let fixedFrameRate = false;
  if (reader.flag()) {
    const unitsInTick = reader.u(32);
    const timeScale = reader.u(32);
    fixedFrameRate = reader.flag();
    frameRate = sensibleFrameRate(timeScale, 2 * unitsInTick);
  }
  const nalHrd = reader.flag();
  if (nalHrd) skipHrd(reader);
  const vclHrd = reader.flag();
  if (vclHrd) skipHrd(reader);
  if (nalHrd || vclHrd) reader.skip(1); // low_delay_hrd_flag
  const picStructPresent = reader.flag();
  let maxNumReorderFrames: number | undefined;
  let maxDecFrameBuffering: number | undefined;
  if (reader.flag()) {
    reader.skip(1); // motion_vectors_over_pic_boundaries_flag
    reader.ue(); // max_bytes_per_pic_denom
    reader.ue(); // max_bits_per_mb_denom
    reader.ue(); // log2_max_mv_length_horizontal
    reader.ue(); // log2_max_mv_length_vertical
    maxNumReorderFrames = reader.ue();
    maxDecFrameBuffering = reader.ue();
    if (maxNumReorderFrames > 16 || maxDecFrameBuffering > 16) {
      throw new MediaError("malformed", "VUI asks for more than 16 reordered frames");
    }
  }
  return {
    sampleAspectRatio,
    fullRange,
    colour,
    frameRate,
    fixedFrameRate,
    picStructPresent,
    maxNumReorderFrames,
    maxDecFrameBuffering,
  };
}

/** `numerator / denominator` when it can be a frame rate: encoders write ticks of 1/90000 s and zeros there too. */
export function sensibleFrameRate(numerator: number, denominator: number): number | undefined {
  if (numerator === 0 || denominator === 0) return undefined;
  const rate = numerator / denominator;
  return rate >= 0.1 && rate <= 300 ? rate : undefined;
}

function skipHrd(reader: BitReader): void {
  const count = reader.ue() + 1;
  if (count > 32) throw new MediaError("malformed", "more than 32 coded picture buffers");
  reader.skip(8); // bit_rate_scale, cpb_size_scale
  for (let i = 0; i < count; i += 1) {
    reader.ue(); // bit_rate_value_minus1
    reader.ue(); // cpb_size_value_minus1
    reader.skip(1); // cbr_flag
  }
  reader.skip(20); // delay lengths, time_offset_length
}

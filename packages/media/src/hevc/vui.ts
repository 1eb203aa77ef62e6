import type { BitReader } from "../bits/bit-reader.ts";
import { type ColourDescription, readSampleAspectRatio, sensibleFrameRate } from "../h264/vui.ts";
import { MediaError } from "../media-error.ts";

/** Video usability information, HEVC E.2.1. */
export interface HevcVui {
  /** Width : height of a sample; [1, 1] unless told otherwise. */
  readonly sampleAspectRatio: readonly [number, number];
  readonly fullRange: boolean;
  readonly colour: ColourDescription | undefined;
  /** field_seq_flag: every picture is one field. */
  readonly fieldSequence: boolean;
  /** Pictures a second. */
  readonly frameRate: number | undefined;
  readonly minSpatialSegmentation: number;
}

/** @throws MediaError */
export function readHevcVui(reader: BitReader, maxSubLayersMinus1: number): HevcVui {
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
  reader.skip(1); // neutral_chroma_indication_flag
  const fieldSequence = reader.flag();
  reader.skip(1); // frame_field_info_present_flag
  if (reader.flag()) for (let i = 0; i < 4; i += 1) reader.ue(); // default display window
  let frameRate: number | undefined;
  if (reader.flag()) {
    const unitsInTick = reader.u(32);
    frameRate = sensibleFrameRate(reader.u(32), unitsInTick);
    if (reader.flag()) reader.ue(); // vui_num_ticks_poc_diff_one_minus1
    if (reader.flag()) skipHrd(reader, maxSubLayersMinus1);
  }
  let minSpatialSegmentation = 0;
  if (reader.flag()) {
    reader.skip(3); // tiles_fixed_structure, motion_vectors_over_pic_boundaries, restricted_ref_pic_lists
    minSpatialSegmentation = Math.min(reader.ue(), 4095);
  }
  return { sampleAspectRatio, fullRange, colour, fieldSequence, frameRate, minSpatialSegmentation };
}

/** hrd_parameters(1, maxSubLayersMinus1), HEVC E.2.2. */
function skipHrd(reader: BitReader, maxSubLayersMinus1: number): void {
  const nal = reader.flag();
  const vcl = reader.flag();
  let subPicture = false;
  if (nal || vcl) {
    subPicture = reader.flag();
    if (subPicture) reader.skip(8 + 5 + 1 + 5);
    reader.skip(4 + 4); // bit_rate_scale, cpb_size_scale
    if (subPicture) reader.skip(4);
    reader.skip(5 + 5 + 5);
  }
  for (let layer = 0; layer <= maxSubLayersMinus1; layer += 1) {
    const fixedGeneral = reader.flag();
    const fixedWithinCvs = fixedGeneral || reader.flag();
    let lowDelay = false;
    if (fixedWithinCvs)
      reader.ue(); // elemental_duration_in_tc_minus1
    else lowDelay = reader.flag();
    const count = lowDelay ? 1 : reader.ue() + 1;
    if (count > 32) throw new MediaError("malformed", "more than 32 coded picture buffers");
    for (const present of [nal, vcl]) {
      if (!present) continue;
      for (let i = 0; i < count; i += 1) {
        reader.ue(); // bit_rate_value_minus1
        reader.ue(); // cpb_size_value_minus1
        if (subPicture) {
          reader.ue();
          reader.ue();
        }
        reader.skip(1); // cbr_flag
      }
    }
  }
}

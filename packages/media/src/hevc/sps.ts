import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";
import { toRbsp } from "../nal/emulation-prevention.ts";
import { HEVC_NAL, hevcNalType } from "./nal-unit-type.ts";
import { type HevcProfileTierLevel, readProfileTierLevel } from "./profile-tier-level.ts";
import { type HevcVui, readHevcVui } from "./vui.ts";

/** A sequence parameter set, HEVC 7.3.2.2, as far as anything here asks. */
export interface HevcSps {
  /** sps_seq_parameter_set_id, 0 to 15. */
  readonly id: number;
  readonly vpsId: number;
  readonly maxSubLayers: number;
  readonly temporalIdNesting: boolean;
  readonly profileTierLevel: HevcProfileTierLevel;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  /** Pixels as coded. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Pixels, conformance window applied. */
  readonly width: number;
  readonly height: number;
  /** Most pictures that precede another in decoding order and follow it in output order (highest sub-layer). */
  readonly reorderDepth: number;
  readonly vui: HevcVui | undefined;
  /** Pictures a second from the VUI's timing information. */
  readonly frameRate: number | undefined;
}

const MAX_DIMENSION = 16_888;

/**
 * @param nal the NAL unit with its header bytes, emulation prevention in place.
 * @throws MediaError
 */
export function parseHevcSps(nal: Uint8Array): HevcSps {
  if (nal.length < 4) throw new MediaError("truncated", "SPS shorter than its fixed fields");
  if (hevcNalType(nal[0] as number) !== HEVC_NAL.SPS) throw new MediaError("malformed", "not an SPS");
  const reader = new BitReader(toRbsp(nal), 2);
  const vpsId = reader.u(4);
  const maxSubLayersMinus1 = bounded(reader.u(3), 6, "sps_max_sub_layers_minus1");
  const temporalIdNesting = reader.flag();
  const profileTierLevel = readProfileTierLevel(reader, maxSubLayersMinus1);
  const id = bounded(reader.ue(), 15, "sps_seq_parameter_set_id");
  const chromaFormatIdc = bounded(reader.ue(), 3, "chroma_format_idc");
  const separateColourPlanes = chromaFormatIdc === 3 && reader.flag();
  const codedWidth = bounded(reader.ue(), MAX_DIMENSION, "pic_width_in_luma_samples");
  const codedHeight = bounded(reader.ue(), MAX_DIMENSION, "pic_height_in_luma_samples");
  let width = codedWidth;
  let height = codedHeight;
  if (reader.flag()) {
    const chromaArrayType = separateColourPlanes ? 0 : chromaFormatIdc;
    width -= (reader.ue() + reader.ue()) * (chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1);
    height -= (reader.ue() + reader.ue()) * (chromaArrayType === 1 ? 2 : 1);
  }
  if (width <= 0 || height <= 0) throw new MediaError("malformed", "SPS with an empty picture");
  const bitDepthLuma = 8 + bounded(reader.ue(), 8, "bit_depth_luma_minus8");
  const bitDepthChroma = 8 + bounded(reader.ue(), 8, "bit_depth_chroma_minus8");
  const log2MaxPicOrderCntLsb = 4 + bounded(reader.ue(), 12, "log2_max_pic_order_cnt_lsb_minus4");
  const orderingLayers = reader.flag() ? maxSubLayersMinus1 + 1 : 1;
  let reorderDepth = 0;
  for (let i = 0; i < orderingLayers; i += 1) {
    reader.ue(); // sps_max_dec_pic_buffering_minus1
    reorderDepth = bounded(reader.ue(), 16, "sps_max_num_reorder_pics");
    reader.ue(); // sps_max_latency_increase_plus1
  }
  const vui = readVuiTolerantly(reader, maxSubLayersMinus1, log2MaxPicOrderCntLsb);
  return {
    id,
    vpsId,
    maxSubLayers: maxSubLayersMinus1 + 1,
    temporalIdNesting,
    profileTierLevel,
    chromaFormatIdc,
    bitDepthLuma,
    bitDepthChroma,
    codedWidth,
    codedHeight,
    width,
    height,
    reorderDepth,
    vui,
    frameRate: vui?.frameRate,
  };
}

/** What lies between the picture's size and the VUI only leads to it: broken, it costs the VUI alone. */
function readVuiTolerantly(
  reader: BitReader,
  maxSubLayersMinus1: number,
  log2MaxPicOrderCntLsb: number,
): HevcVui | undefined {
  try {
    skipCodingTools(reader, log2MaxPicOrderCntLsb);
    return reader.flag() ? readHevcVui(reader, maxSubLayersMinus1) : undefined;
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

function skipCodingTools(reader: BitReader, log2MaxPicOrderCntLsb: number): void {
  for (let i = 0; i < 6; i += 1) reader.ue(); // block sizes, transform hierarchy depths
  if (reader.flag() && reader.flag()) skipScalingLists(reader);
  reader.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (reader.flag()) {
    reader.skip(8); // pcm bit depths
    reader.ue(); // log2_min_pcm_luma_coding_block_size_minus3
    reader.ue(); // log2_diff_max_min_pcm_luma_coding_block_size
    reader.skip(1); // pcm_loop_filter_disabled_flag
  }
  const shortTermSets = bounded(reader.ue(), 64, "num_short_term_ref_pic_sets");
  let previousCount = 0;
  for (let i = 0; i < shortTermSets; i += 1) previousCount = skipShortTermRefPicSet(reader, i, previousCount);
  if (reader.flag()) {
    const longTerm = bounded(reader.ue(), 32, "num_long_term_ref_pics_sps");
    reader.skip(longTerm * (log2MaxPicOrderCntLsb + 1));
  }
  reader.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
}

/** scaling_list_data(), HEVC 7.3.4. */
function skipScalingLists(reader: BitReader): void {
  for (let sizeId = 0; sizeId < 4; sizeId += 1) {
    for (let matrixId = 0; matrixId < 6; matrixId += sizeId === 3 ? 3 : 1) {
      if (!reader.flag()) {
        reader.ue(); // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (sizeId > 1) reader.se(); // scaling_list_dc_coef_minus8
      const coefficients = Math.min(64, 1 << (4 + (sizeId << 1)));
      for (let i = 0; i < coefficients; i += 1) reader.se();
    }
  }
}

/** st_ref_pic_set(), HEVC 7.3.7, inside an SPS. Returns NumDeltaPocs of the set; `previousCount` is that of the set before. */
function skipShortTermRefPicSet(reader: BitReader, index: number, previousCount: number): number {
  if (index > 0 && reader.flag()) {
    reader.skip(1); // delta_rps_sign
    reader.ue(); // abs_delta_rps_minus1
    let count = 0;
    for (let j = 0; j <= previousCount; j += 1) {
      const usedByCurrent = reader.flag();
      const useDelta = usedByCurrent || reader.flag();
      if (useDelta) count += 1;
    }
    return count;
  }
  const count = bounded(reader.ue(), 16, "num_negative_pics") + bounded(reader.ue(), 16, "num_positive_pics");
  for (let i = 0; i < count; i += 1) {
    reader.ue(); // delta_poc_minus1
    reader.skip(1); // used_by_curr_pic_flag
  }
  return count;
}

function bounded(value: number, max: number, name: string): number {
  if (value > max) throw new MediaError("malformed", `${name} is ${value}, more than ${max}`);
  return value;
}

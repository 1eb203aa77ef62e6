import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";
import { toRbsp } from "../nal/emulation-prevention.ts";
import { H264_NAL, h264NalType } from "./nal-unit-type.ts";
import { type H264Vui, readVui } from "./vui.ts";

/** A sequence parameter set, H.264 7.3.2.1.1, as far as anything here asks. */
export interface H264Sps {
  /** seq_parameter_set_id, 0 to 31. */
  readonly id: number;
  readonly profileIdc: number;
  /** The byte of constraint_set flags between profile_idc and level_idc. */
  readonly constraints: number;
  readonly levelIdc: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormatIdc: number;
  readonly separateColourPlanes: boolean;
  readonly bitDepthLuma: number;
  readonly bitDepthChroma: number;
  readonly log2MaxFrameNum: number;
  readonly picOrderCntType: number;
  /** Only for picOrderCntType 0. */
  readonly log2MaxPicOrderCntLsb: number;
  readonly maxNumRefFrames: number;
  /** frame_mbs_only_flag clear: fields or macroblock-adaptive frame/field coding may occur. */
  readonly interlaced: boolean;
  /** Pixels, macroblock-aligned. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Pixels, cropping applied. */
  readonly width: number;
  readonly height: number;
  readonly vui: H264Vui | undefined;
  /** Frames a second from the VUI's timing information. */
  readonly frameRate: number | undefined;
  /** Most frames that precede another in decoding order and follow it in output order; an upper bound where the VUI is silent. */
  readonly reorderDepth: number;
}

const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const MAX_DIMENSION_IN_MBS = 1024;

/**
 * Parses an SPS.
 * @param nal the NAL unit with its header byte, emulation prevention in place.
 * @throws MediaError
 */
export function parseH264Sps(nal: Uint8Array): H264Sps {
  if (nal.length < 4) throw new MediaError("truncated", "SPS shorter than its fixed fields");
  if (h264NalType(nal[0] as number) !== H264_NAL.SPS) throw new MediaError("malformed", "not an SPS");
  const reader = new BitReader(toRbsp(nal), 1);
  const profileIdc = reader.u(8);
  const constraints = reader.u(8);
  const levelIdc = reader.u(8);
  const id = bounded(reader.ue(), 31, "seq_parameter_set_id");

  let chromaFormatIdc = 1;
  let separateColourPlanes = false;
  let bitDepthLuma = 8;
  let bitDepthChroma = 8;
  if (HIGH_PROFILES.has(profileIdc)) {
    chromaFormatIdc = bounded(reader.ue(), 3, "chroma_format_idc");
    if (chromaFormatIdc === 3) separateColourPlanes = reader.flag();
    bitDepthLuma = 8 + bounded(reader.ue(), 6, "bit_depth_luma_minus8");
    bitDepthChroma = 8 + bounded(reader.ue(), 6, "bit_depth_chroma_minus8");
    reader.skip(1); // qpprime_y_zero_transform_bypass_flag
    if (reader.flag()) skipScalingMatrix(reader, chromaFormatIdc === 3 ? 12 : 8);
  }

  const log2MaxFrameNum = 4 + bounded(reader.ue(), 12, "log2_max_frame_num_minus4");
  const picOrderCntType = bounded(reader.ue(), 2, "pic_order_cnt_type");
  let log2MaxPicOrderCntLsb = 0;
  if (picOrderCntType === 0) {
    log2MaxPicOrderCntLsb = 4 + bounded(reader.ue(), 12, "log2_max_pic_order_cnt_lsb_minus4");
  } else if (picOrderCntType === 1) {
    reader.skip(1); // delta_pic_order_always_zero_flag
    reader.se(); // offset_for_non_ref_pic
    reader.se(); // offset_for_top_to_bottom_field
    const cycle = bounded(reader.ue(), 255, "num_ref_frames_in_pic_order_cnt_cycle");
    for (let i = 0; i < cycle; i += 1) reader.se();
  }
  const maxNumRefFrames = bounded(reader.ue(), 16, "max_num_ref_frames");
  reader.skip(1); // gaps_in_frame_num_value_allowed_flag
  const widthInMbs = 1 + bounded(reader.ue(), MAX_DIMENSION_IN_MBS - 1, "pic_width_in_mbs_minus1");
  const heightInMapUnits = 1 + bounded(reader.ue(), MAX_DIMENSION_IN_MBS - 1, "pic_height_in_map_units_minus1");
  const frameMbsOnly = reader.flag();
  if (!frameMbsOnly) reader.skip(1); // mb_adaptive_frame_field_flag
  reader.skip(1); // direct_8x8_inference_flag

  const codedWidth = widthInMbs * 16;
  const codedHeight = heightInMapUnits * 16 * (frameMbsOnly ? 1 : 2);
  let width = codedWidth;
  let height = codedHeight;
  if (reader.flag()) {
    const chromaArrayType = separateColourPlanes ? 0 : chromaFormatIdc;
    const unitX = chromaArrayType === 1 || chromaArrayType === 2 ? 2 : 1;
    const unitY = (chromaArrayType === 1 ? 2 : 1) * (frameMbsOnly ? 1 : 2);
    width -= (reader.ue() + reader.ue()) * unitX;
    height -= (reader.ue() + reader.ue()) * unitY;
    if (width <= 0 || height <= 0) throw new MediaError("malformed", "SPS crops the whole picture away");
  }
  const vui = reader.flag() ? readVuiTolerantly(reader) : undefined;

  return {
    id,
    profileIdc,
    constraints,
    levelIdc,
    chromaFormatIdc,
    separateColourPlanes,
    bitDepthLuma,
    bitDepthChroma,
    log2MaxFrameNum,
    picOrderCntType,
    log2MaxPicOrderCntLsb,
    maxNumRefFrames,
    interlaced: !frameMbsOnly,
    codedWidth,
    codedHeight,
    width,
    height,
    vui,
    frameRate: vui?.frameRate,
    reorderDepth: reorderDepth(profileIdc, constraints, levelIdc, picOrderCntType, codedWidth, codedHeight, vui),
  };
}

/** Words for profile_idc and its constraints as in H.264 annex A, or `undefined` for one without a name here. */
export function h264ProfileName(profileIdc: number, constraints: number): string | undefined {
  const set1 = (constraints & 0x40) !== 0;
  const set3 = (constraints & 0x10) !== 0;
  switch (profileIdc) {
    case 66:
      return set1 ? "Constrained Baseline" : "Baseline";
    case 77:
      return "Main";
    case 88:
      return "Extended";
    case 100:
      return (constraints & 0x0c) === 0x0c
        ? "Constrained High"
        : (constraints & 0x08) !== 0
          ? "Progressive High"
          : "High";
    case 110:
      return set3 ? "High 10 Intra" : "High 10";
    case 122:
      return set3 ? "High 4:2:2 Intra" : "High 4:2:2";
    case 244:
      return set3 ? "High 4:4:4 Intra" : "High 4:4:4 Predictive";
    case 44:
      return "CAVLC 4:4:4 Intra";
    default:
      return undefined;
  }
}

/** Encoders exist whose VUI is cut off; the picture size before it still holds. */
function readVuiTolerantly(reader: BitReader): H264Vui | undefined {
  try {
    return readVui(reader);
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

function skipScalingMatrix(reader: BitReader, lists: number): void {
  for (let list = 0; list < lists; list += 1) {
    if (!reader.flag()) continue;
    const size = list < 6 ? 16 : 64;
    let last = 8;
    for (let i = 0; i < size; i += 1) {
      const next = (last + reader.se() + 256) % 256;
      if (next === 0) break; // the rest repeats the last value; nothing more is coded
      last = next;
    }
  }
}

/** MaxDpbMbs, H.264 table A-1, by level_idc. */
const MAX_DPB_MBS: Readonly<Record<number, number>> = {
  9: 396,
  10: 396,
  11: 900,
  12: 2376,
  13: 2376,
  20: 2376,
  21: 4752,
  22: 8100,
  30: 8100,
  31: 18000,
  32: 20480,
  40: 32768,
  41: 32768,
  42: 34816,
  50: 110400,
  51: 184320,
  52: 184320,
  60: 696320,
  61: 696320,
  62: 696320,
};

const INTRA_ONLY_WITH_SET3 = new Set([44, 86, 100, 110, 122, 244]);

function reorderDepth(
  profileIdc: number,
  constraints: number,
  levelIdc: number,
  picOrderCntType: number,
  codedWidth: number,
  codedHeight: number,
  vui: H264Vui | undefined,
): number {
  if (vui?.maxNumReorderFrames !== undefined) return vui.maxNumReorderFrames;
  if (profileIdc === 66 || picOrderCntType === 2) return 0;
  if ((constraints & 0x10) !== 0 && INTRA_ONLY_WITH_SET3.has(profileIdc)) return 0;
  const maxDpbMbs = MAX_DPB_MBS[levelIdc] ?? 696320;
  return Math.min(16, Math.floor(maxDpbMbs / ((codedWidth / 16) * (codedHeight / 16))));
}

function bounded(value: number, max: number, name: string): number {
  if (value > max) throw new MediaError("malformed", `${name} is ${value}, more than ${max}`);
  return value;
}

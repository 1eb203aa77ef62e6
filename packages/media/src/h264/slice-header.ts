import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";
import { toRbsp } from "../nal/emulation-prevention.ts";
import { H264_NAL, h264NalType } from "./nal-unit-type.ts";

export type H264SliceType = "P" | "B" | "I" | "SP" | "SI";

const SLICE_TYPES: readonly H264SliceType[] = ["P", "B", "I", "SP", "SI"];

/** The first fields of a slice header, H.264 7.3.3. */
export interface H264SliceHead {
  /** Zero on the first slice of a picture (without arbitrary slice order). */
  readonly firstMb: number;
  readonly type: H264SliceType;
  readonly ppsId: number;
  readonly idr: boolean;
  /** nal_ref_idc is not zero: other pictures may refer to this one. */
  readonly reference: boolean;
}

/**
 * @param nal a slice NAL unit (types 1, 2, 5) with its header byte.
 * @throws MediaError
 */
export function peekH264Slice(nal: Uint8Array): H264SliceHead {
  if (nal.length < 2) throw new MediaError("truncated", "slice without a header");
  const header = nal[0] as number;
  const type = h264NalType(header);
  if (type !== H264_NAL.SLICE && type !== H264_NAL.SLICE_PARTITION_A && type !== H264_NAL.SLICE_IDR) {
    throw new MediaError("malformed", "not a slice");
  }
  const reader = new BitReader(toRbsp(nal, 20), 1);
  const firstMb = reader.ue();
  const sliceType = SLICE_TYPES[reader.ue() % 5] as H264SliceType;
  const ppsId = reader.ue();
  if (ppsId > 255) throw new MediaError("malformed", "slice with an impossible pic_parameter_set_id");
  return { firstMb, type: sliceType, ppsId, idr: type === H264_NAL.SLICE_IDR, reference: (header & 0x60) !== 0 };
}

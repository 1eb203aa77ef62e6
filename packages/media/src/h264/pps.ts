import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";
import { toRbsp } from "../nal/emulation-prevention.ts";
import { H264_NAL, h264NalType } from "./nal-unit-type.ts";

/** The head of a picture parameter set, H.264 7.3.2.2. */
export interface H264Pps {
  /** pic_parameter_set_id, 0 to 255. */
  readonly id: number;
  readonly spsId: number;
  readonly cabac: boolean;
  readonly bottomFieldPicOrderInFramePresent: boolean;
}

/**
 * @param nal the NAL unit with its header byte, emulation prevention in place.
 * @throws MediaError
 */
export function parseH264Pps(nal: Uint8Array): H264Pps {
  if (nal.length < 2) throw new MediaError("truncated", "PPS without a payload");
  if (h264NalType(nal[0] as number) !== H264_NAL.PPS) throw new MediaError("malformed", "not a PPS");
  const reader = new BitReader(toRbsp(nal, 16), 1);
  const id = reader.ue();
  const spsId = reader.ue();
  if (id > 255 || spsId > 31) throw new MediaError("malformed", "PPS with an impossible id");
  return { id, spsId, cabac: reader.flag(), bottomFieldPicOrderInFramePresent: reader.flag() };
}

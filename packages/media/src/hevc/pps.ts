import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";
import { toRbsp } from "../nal/emulation-prevention.ts";
import { HEVC_NAL, hevcNalType } from "./nal-unit-type.ts";

/** The head of a picture parameter set, HEVC 7.3.2.3. */
export interface HevcPps {
  /** pps_pic_parameter_set_id, 0 to 63. */
  readonly id: number;
  readonly spsId: number;
  readonly tiles: boolean;
  /** entropy_coding_sync_enabled_flag: wavefront parallel processing. */
  readonly wavefront: boolean;
}

/**
 * @param nal the NAL unit with its header bytes, emulation prevention in place.
 * @throws MediaError
 */
export function parseHevcPps(nal: Uint8Array): HevcPps {
  if (nal.length < 3) throw new MediaError("truncated", "PPS without a payload");
  if (hevcNalType(nal[0] as number) !== HEVC_NAL.PPS) throw new MediaError("malformed", "not a PPS");
  const reader = new BitReader(toRbsp(nal, 64), 2);
  const id = reader.ue();
  const spsId = reader.ue();
  if (id > 63 || spsId > 15) throw new MediaError("malformed", "PPS with an impossible id");
  reader.skip(1 + 1 + 3 + 1 + 1); // up to cabac_init_present_flag
  reader.ue(); // num_ref_idx_l0_default_active_minus1
  reader.ue(); // num_ref_idx_l1_default_active_minus1
  reader.se(); // init_qp_minus26
  reader.skip(2); // constrained_intra_pred_flag, transform_skip_enabled_flag
  if (reader.flag()) reader.ue(); // diff_cu_qp_delta_depth
  reader.se(); // pps_cb_qp_offset
  reader.se(); // pps_cr_qp_offset
  reader.skip(4); // up to transquant_bypass_enabled_flag
  return { id, spsId, tiles: reader.flag(), wavefront: reader.flag() };
}

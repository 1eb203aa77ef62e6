import { BitReader } from "../bits/bit-reader.ts";
import { sensibleFrameRate } from "../h264/vui.ts";
import { MediaError } from "../media-error.ts";
import { toRbsp } from "../nal/emulation-prevention.ts";
import { HEVC_NAL, hevcNalType } from "./nal-unit-type.ts";
import { readProfileTierLevel } from "./profile-tier-level.ts";

/** A video parameter set, HEVC 7.3.2.1, as far as anything here asks. */
export interface HevcVps {
  /** vps_video_parameter_set_id, 0 to 15. */
  readonly id: number;
  readonly maxSubLayers: number;
  readonly temporalIdNesting: boolean;
  /** Pictures a second from vps_timing_info. */
  readonly frameRate: number | undefined;
}

/**
 * @param nal the NAL unit with its header bytes, emulation prevention in place.
 * @throws MediaError
 */
export function parseHevcVps(nal: Uint8Array): HevcVps {
  if (nal.length < 4) throw new MediaError("truncated", "VPS shorter than its fixed fields");
  if (hevcNalType(nal[0] as number) !== HEVC_NAL.VPS) throw new MediaError("malformed", "not a VPS");
  const reader = new BitReader(toRbsp(nal), 2);
  const id = reader.u(4);
  reader.skip(2 + 6); // base layer flags, vps_max_layers_minus1
  const maxSubLayersMinus1 = reader.u(3);
  if (maxSubLayersMinus1 > 6) throw new MediaError("malformed", "VPS with too many sub-layers");
  const temporalIdNesting = reader.flag();
  return {
    id,
    maxSubLayers: maxSubLayersMinus1 + 1,
    temporalIdNesting,
    frameRate: readTiming(reader, maxSubLayersMinus1),
  };
}

/** Everything after the head only leads to the timing: a VPS whose tail is cut off is still of use. */
function readTiming(reader: BitReader, maxSubLayersMinus1: number): number | undefined {
  try {
    reader.skip(16); // vps_reserved_0xffff_16bits
    readProfileTierLevel(reader, maxSubLayersMinus1);
    const orderingLayers = reader.flag() ? maxSubLayersMinus1 + 1 : 1;
    for (let i = 0; i < 3 * orderingLayers; i += 1) reader.ue();
    const maxLayerId = reader.u(6);
    const layerSets = reader.ue();
    reader.skip(layerSets * (maxLayerId + 1));
    if (!reader.flag()) return undefined;
    const unitsInTick = reader.u(32);
    return sensibleFrameRate(reader.u(32), unitsInTick);
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

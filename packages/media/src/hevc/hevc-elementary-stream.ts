import type { VideoTrack } from "../access-unit.ts";
import { type NalCodec, NalElementaryStream, type NalKind } from "../nal/nal-elementary-stream.ts";
import { parseHevcConfig } from "./hevc-config.ts";
import { hevcTrack } from "./hevc-track.ts";
import { HEVC_NAL, hevcNalType, isHevcRandomAccess } from "./nal-unit-type.ts";
import { parseHevcPps } from "./pps.ts";
import { parseHevcSps } from "./sps.ts";
import { parseHevcVps } from "./vps.ts";

const KIND_VPS = 0;
const KIND_SPS = 1;
const KIND_PPS = 2;

const hevc: NalCodec = {
  codec: "hevc",

  classify(headerByte): NalKind {
    const type = hevcNalType(headerByte);
    if (type <= HEVC_NAL.LAST_VCL) return isHevcRandomAccess(type) ? "random_access_slice" : "slice";
    switch (type) {
      case HEVC_NAL.VPS:
      case HEVC_NAL.SPS:
      case HEVC_NAL.PPS:
        return "parameter_set";
      case HEVC_NAL.ACCESS_UNIT_DELIMITER:
      case HEVC_NAL.END_OF_BITSTREAM:
      case HEVC_NAL.FILLER_DATA:
        return "dropped";
      case HEVC_NAL.SEI_PREFIX:
      case HEVC_NAL.SEI_SUFFIX:
        return "sei";
      default:
        return "other";
    }
  },

  parameterSetKey(nal) {
    switch (hevcNalType(nal[0] as number)) {
      case HEVC_NAL.VPS:
        return KIND_VPS * 1024 + parseHevcVps(nal).id;
      case HEVC_NAL.SPS:
        return KIND_SPS * 1024 + parseHevcSps(nal).id;
      default:
        return KIND_PPS * 1024 + parseHevcPps(nal).id;
    }
  },

  parseConfig(record) {
    const config = parseHevcConfig(record);
    return { nalLengthSize: config.nalLengthSize, sets: [...config.vps, ...config.sps, ...config.pps] };
  },

  track(id, sets): VideoTrack | undefined {
    const byKind: [Uint8Array[], Uint8Array[], Uint8Array[]] = [[], [], []];
    for (const [key, set] of sets) (byKind[key >> 10] as Uint8Array[]).push(set);
    return byKind.some((kind) => kind.length === 0) ? undefined : hevcTrack(id, ...byKind);
  },

  // Every picture at which HEVC decoding can begin says so in its NAL unit type, or (gradual refresh) hardly any encoder makes it.
  isRecoveryPoint: () => false,
};

/** An HEVC elementary stream: see {@link NalElementaryStream}. A keyframe is an IDR, BLA or CRA picture. */
export function hevcElementaryStream(trackId: number): NalElementaryStream {
  return new NalElementaryStream(hevc, trackId);
}

import type { VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { type NalCodec, NalElementaryStream, type NalKind } from "../nal/nal-elementary-stream.ts";
import { parseAvcConfig } from "./avc-config.ts";
import { h264Track } from "./h264-track.ts";
import { H264_NAL, h264NalType } from "./nal-unit-type.ts";
import { parseH264Pps } from "./pps.ts";
import { h264RecoveryFrameCount } from "./recovery-point.ts";
import { peekH264Slice } from "./slice-header.ts";
import { parseH264Sps } from "./sps.ts";

const KIND_SPS = 1;
const KIND_PPS = 2;

const h264: NalCodec = {
  codec: "h264",

  classify(headerByte): NalKind {
    switch (h264NalType(headerByte)) {
      case H264_NAL.SLICE_IDR:
        return "random_access_slice";
      case H264_NAL.SLICE:
      case H264_NAL.SLICE_PARTITION_A:
        return "slice";
      case H264_NAL.SEI:
        return "sei";
      case H264_NAL.SPS:
      case H264_NAL.PPS:
        return "parameter_set";
      case H264_NAL.ACCESS_UNIT_DELIMITER:
      case H264_NAL.FILLER_DATA:
      case H264_NAL.SPS_EXTENSION:
      case H264_NAL.END_OF_STREAM:
      case 0:
        return "dropped";
      default:
        return "other";
    }
  },

  parameterSetKey(nal) {
    return h264NalType(nal[0] as number) === H264_NAL.SPS
      ? KIND_SPS * 1024 + parseH264Sps(nal).id
      : KIND_PPS * 1024 + parseH264Pps(nal).id;
  },

  parseConfig(record) {
    const config = parseAvcConfig(record);
    return { nalLengthSize: config.nalLengthSize, sets: [...config.sps, ...config.pps] };
  },

  track(id, sets): VideoTrack | undefined {
    const sps: Uint8Array[] = [];
    const pps: Uint8Array[] = [];
    for (const [key, set] of sets) (key < KIND_PPS * 1024 ? sps : pps).push(set);
    return sps.length === 0 || pps.length === 0 ? undefined : h264Track(id, sps, pps);
  },

  isRecoveryPoint(data, spans) {
    let intra = true;
    for (let i = 0; i < spans.count; i += 1) {
      const nal = data.subarray(spans.start(i), spans.end(i));
      const type = h264NalType(nal[0] as number);
      if (type === H264_NAL.SEI && h264RecoveryFrameCount(nal) !== undefined) return true;
      if (type === H264_NAL.SLICE || type === H264_NAL.SLICE_PARTITION_A) intra &&= isIntra(nal);
    }
    return intra;
  },
};

function isIntra(slice: Uint8Array): boolean {
  try {
    const { type } = peekH264Slice(slice);
    return type === "I" || type === "SI";
  } catch (error) {
    if (error instanceof MediaError) return false;
    throw error;
  }
}

/**
 * An H.264 elementary stream: see {@link NalElementaryStream}. A keyframe is an IDR picture, or what the container
 * calls a sync sample when it has a recovery point message or nothing but intra slices.
 */
export function h264ElementaryStream(trackId: number): NalElementaryStream {
  return new NalElementaryStream(h264, trackId);
}

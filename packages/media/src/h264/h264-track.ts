import type { VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { avcCodecString, buildAvcConfig, parseAvcConfig } from "./avc-config.ts";
import { h264ProfileName, parseH264Sps } from "./sps.ts";

/**
 * The track that SPS and PPS NAL units describe. The sets are copied.
 * @throws MediaError when the first SPS cannot be parsed.
 */
export function h264Track(id: number, sps: readonly Uint8Array[], pps: readonly Uint8Array[]): VideoTrack {
  const first = sps[0];
  if (first === undefined) throw new MediaError("malformed", "no SPS");
  const parsed = parseH264Sps(first);
  return {
    kind: "video",
    id,
    codec: "h264",
    config: buildAvcConfig(sps, pps),
    codecString: avcCodecString(parsed),
    width: parsed.width,
    height: parsed.height,
    frameRate: parsed.frameRate,
    profile: h264ProfileName(parsed.profileIdc, parsed.constraints),
  };
}

/**
 * The track that an avcC payload describes; its `config` is rebuilt with 4-byte NAL unit lengths.
 * @throws MediaError also when the record has no SPS.
 */
export function h264TrackFromConfig(id: number, avcC: Uint8Array): VideoTrack {
  const config = parseAvcConfig(avcC);
  return h264Track(id, config.sps, config.pps);
}

import type { VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { buildHevcConfig, hevcCodecString, parseHevcConfig } from "./hevc-config.ts";
import { hevcProfileName } from "./profile-tier-level.ts";
import { parseHevcSps } from "./sps.ts";
import { parseHevcVps } from "./vps.ts";

/**
 * The track that VPS, SPS and PPS NAL units describe. The sets are copied.
 * @throws MediaError when the first SPS cannot be parsed.
 */
export function hevcTrack(
  id: number,
  vps: readonly Uint8Array[],
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): VideoTrack {
  const first = sps[0];
  if (first === undefined) throw new MediaError("malformed", "no SPS");
  const parsed = parseHevcSps(first);
  const firstVps = vps[0];
  return {
    kind: "video",
    id,
    codec: "hevc",
    config: buildHevcConfig(vps, sps, pps),
    codecString: hevcCodecString(parsed.profileTierLevel),
    width: parsed.width,
    height: parsed.height,
    frameRate: parsed.frameRate ?? (firstVps === undefined ? undefined : parseHevcVps(firstVps).frameRate),
    profile: hevcProfileName(parsed.profileTierLevel),
  };
}

/**
 * The track that an hvcC payload describes; its `config` is rebuilt with 4-byte NAL unit lengths.
 * @throws MediaError also when the record has no SPS.
 */
export function hevcTrackFromConfig(id: number, hvcC: Uint8Array): VideoTrack {
  const config = parseHevcConfig(hvcC);
  return hevcTrack(id, config.vps, config.sps, config.pps);
}

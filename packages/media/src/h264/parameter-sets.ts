import type { VideoTrack } from "../access-unit.ts";
import { parseAvcConfig } from "./avc-config.ts";

/**
 * A keyframe with its track's parameter sets before it, as NAL units with 4-byte lengths: for a decoder that was set up
 * with others.
 * @throws MediaError where the track's configuration cannot be parsed.
 */
export function withParameterSets(track: VideoTrack, data: Uint8Array): Uint8Array {
  const { sps, pps } = parseAvcConfig(track.config);
  const sets = [...sps, ...pps];
  const bytes = sets.reduce((sum, set) => sum + 4 + set.byteLength, 0);
  const out = new Uint8Array(bytes + data.byteLength);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const set of sets) {
    view.setUint32(at, set.byteLength);
    out.set(set, at + 4);
    at += 4 + set.byteLength;
  }
  out.set(data, at);
  return out;
}

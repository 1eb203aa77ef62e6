import type { VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { av1CodecString, buildAv1Config, parseAv1Config } from "./av1-config.ts";
import { av1ProfileName, parseAv1SequenceHeader } from "./sequence-header.ts";

/**
 * The track that a sequence header describes.
 * @param sequenceHeader payload of the OBU. Copied.
 * @throws MediaError
 */
export function av1Track(id: number, sequenceHeader: Uint8Array): VideoTrack {
  const parsed = parseAv1SequenceHeader(sequenceHeader);
  return {
    kind: "video",
    id,
    codec: "av1",
    config: buildAv1Config(sequenceHeader),
    codecString: av1CodecString(parsed),
    width: parsed.width,
    height: parsed.height,
    frameRate: parsed.frameRate,
    profile: av1ProfileName(parsed.profile),
  };
}

/** The track that an av1C payload describes. @throws MediaError also when the record has no sequence header. */
export function av1TrackFromConfig(id: number, av1C: Uint8Array): VideoTrack {
  const { sequenceHeader } = parseAv1Config(av1C);
  if (sequenceHeader === undefined) throw new MediaError("malformed", "av1C without a sequence header");
  return av1Track(id, sequenceHeader);
}

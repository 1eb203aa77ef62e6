import type { AudioTrack } from "../access-unit.ts";
import { copyBytes } from "../bits/copy-bytes.ts";
import { type AdtsHeader, adtsToAudioSpecificConfig } from "./adts.ts";
import { type AudioSpecificConfig, parseAudioSpecificConfig } from "./audio-specific-config.ts";

/**
 * The track that an AudioSpecificConfig describes. `sampleRate` and `channels` are those of the decoder's output:
 * explicitly signalled SBR doubles the rate, explicitly signalled PS makes two channels of one.
 * @throws MediaError
 */
export function aacTrack(id: number, config: Uint8Array): AudioTrack {
  const parsed = parseAudioSpecificConfig(config);
  return {
    kind: "audio",
    id,
    codec: "aac",
    config: copyBytes(config),
    codecString: aacCodecString(parsed),
    sampleRate: parsed.sbrSampleRate ?? parsed.sampleRate,
    channels: parsed.parametricStereo && parsed.channels === 1 ? 2 : parsed.channels,
  };
}

/** The track that an ADTS header describes. @throws MediaError `unsupported` for channelConfig 0. */
export function aacTrackFromAdts(id: number, header: AdtsHeader): AudioTrack {
  return aacTrack(id, adtsToAudioSpecificConfig(header));
}

/** RFC 6381: `mp4a.40.` and the audio object type, 5 with SBR, 29 with PS. */
export function aacCodecString(config: AudioSpecificConfig): string {
  const type = config.parametricStereo ? 29 : config.sbrSampleRate !== undefined ? 5 : config.objectType;
  return `mp4a.40.${type}`;
}

/** Samples a channel in one frame, at the track's `sampleRate`: 1024 or 960, twice that with explicitly signalled SBR. */
export function aacSamplesPerFrame(config: AudioSpecificConfig): number {
  const output = config.sbrSampleRate ?? config.sampleRate;
  return Math.round((config.coreFrameLength * output) / config.sampleRate);
}

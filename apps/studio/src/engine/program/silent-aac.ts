import { type AudioTrack, parseAudioSpecificConfig } from "@klieg/media";

/** Raw data blocks of AAC-LC that decode to silence, by channels; they hold for every sample rate. */
const SILENT: Readonly<Record<number, Uint8Array>> = {
  1: Uint8Array.of(0x00, 0xc8, 0x00, 0x80, 0x23, 0x80),
  2: Uint8Array.of(0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80),
};
const AAC_LC = 2;

/** A frame of silence for a track; undefined where none is known: it is then without sound. */
export function silentAacFrame(track: AudioTrack): Uint8Array | undefined {
  if (track.codec !== "aac") return undefined;
  const config = parseAudioSpecificConfig(track.config);
  return config.objectType === AAC_LC && config.sbrSampleRate === undefined ? SILENT[config.channels] : undefined;
}

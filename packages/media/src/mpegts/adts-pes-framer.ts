import { aacTrackFromAdts } from "../aac/aac-track.ts";
import type { AdtsHeader } from "../aac/adts.ts";
import { AdtsFramer } from "../aac/adts-framer.ts";
import type { AudioTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import type { AudioFrame, AudioFramer } from "./audio-framer.ts";

const SAMPLES_PER_FRAME = 1024;

/** AAC in ADTS, stream type 0x0f. */
export class AdtsPesFramer implements AudioFramer {
  readonly #framer = new AdtsFramer();
  readonly #trackId: number;
  #track: AudioTrack | undefined;
  /** What the track was made of: object type, rate and channels in one number. */
  #key = -1;

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  push(
    bytes: Uint8Array,
    onFrame: (frame: AudioFrame, track: AudioTrack) => void,
    onTrouble: (message: string) => void,
  ): void {
    const loss = this.#framer.push(bytes, ({ header, data, beginsHere }) => {
      const track = this.#trackOf(header, onTrouble);
      if (track === undefined || data.length === 0) return;
      onFrame({ data, samples: SAMPLES_PER_FRAME, sampleRate: header.sampleRate, beginsHere }, track);
    });
    if (loss.skippedBytes > 0) onTrouble(`${loss.skippedBytes} bytes between AAC frames`);
    if (loss.unsupportedFrames > 0) onTrouble("ADTS frames of several raw data blocks cannot be taken apart");
  }

  reset(): void {
    this.#framer.reset();
  }

  #trackOf(header: AdtsHeader, onTrouble: (message: string) => void): AudioTrack | undefined {
    const key = (header.sampleRate * 8 + header.channelConfig) * 8 + header.objectType;
    if (key === this.#key) return this.#track;
    this.#key = key;
    this.#track = undefined;
    try {
      this.#track = aacTrackFromAdts(this.#trackId, header);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      onTrouble(error.message);
    }
    return this.#track;
  }
}

import type { AudioTrack } from "../access-unit.ts";

/** An MPEG audio frame header, ISO/IEC 11172-3 2.4.2.3 and 13818-3. */
export interface Mp3Header {
  /** 1, 2, or 2.5. */
  readonly version: 1 | 2 | 2.5;
  readonly layer: 1 | 2 | 3;
  /** bits/s; 0 for free format. */
  readonly bitrate: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** Whole frame with its header; 0 for free format. */
  readonly frameBytes: number;
  readonly samplesPerFrame: number;
}

const BITRATES_V1: Readonly<Record<1 | 2 | 3, readonly number[]>> = {
  1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
};
const BITRATES_V2: Readonly<Record<1 | 2 | 3, readonly number[]>> = {
  1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  3: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const SAMPLE_RATES_V1 = [44100, 48000, 32000];

/** Reads the frame header at `at`, or `undefined` where there is none. */
export function parseMp3Header(data: Uint8Array, at = 0): Mp3Header | undefined {
  if (at + 4 > data.length) return undefined;
  const b1 = data[at + 1] as number;
  const b2 = data[at + 2] as number;
  if (data[at] !== 0xff || (b1 & 0xe0) !== 0xe0) return undefined;
  const versionBits = (b1 >> 3) & 3;
  const layerBits = (b1 >> 1) & 3;
  const baseRate = SAMPLE_RATES_V1[(b2 >> 2) & 3];
  if (versionBits === 1 || layerBits === 0 || baseRate === undefined) return undefined;
  const version = versionBits === 3 ? 1 : versionBits === 2 ? 2 : 2.5;
  const layer = (4 - layerBits) as 1 | 2 | 3;
  const kilobits = (version === 1 ? BITRATES_V1 : BITRATES_V2)[layer][b2 >> 4];
  if (kilobits === undefined) return undefined;
  const sampleRate = version === 1 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const bitrate = kilobits * 1000;
  const padding = (b2 >> 1) & 1;
  const samplesPerFrame = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const slotBytes = layer === 1 ? 4 : 1;
  const slots = bitrate === 0 ? 0 : Math.floor(((samplesPerFrame / 8 / slotBytes) * bitrate) / sampleRate) + padding;
  const channels = (data[at + 3] as number) >> 6 === 3 ? 1 : 2;
  return { version, layer, bitrate, sampleRate, channels, frameBytes: slots * slotBytes, samplesPerFrame };
}

/** The track that a frame header describes. RFC 6381: `mp4a.6B` (MPEG-1) or `mp4a.69` (MPEG-2 and 2.5). */
export function mp3Track(id: number, header: Mp3Header): AudioTrack {
  return {
    kind: "audio",
    id,
    codec: "mp3",
    config: new Uint8Array(0),
    codecString: header.version === 1 ? "mp4a.6B" : "mp4a.69",
    sampleRate: header.sampleRate,
    channels: header.channels,
  };
}

import { MediaError } from "../media-error.ts";
import { AAC_SAMPLE_RATES, buildAudioSpecificConfig } from "./audio-specific-config.ts";

/** An ADTS header, ISO/IEC 14496-3 1.A.2.2. */
export interface AdtsHeader {
  /** Audio object type (the header's profile + 1): 1 Main, 2 LC, 3 SSR, 4 LTP. */
  readonly objectType: number;
  readonly sampleRate: number;
  /** 0 to 7; 0 means that a program config element in the first raw data block tells. */
  readonly channelConfig: number;
  /** 7, or 9 with a CRC. */
  readonly headerBytes: number;
  /** Whole frame, header included. */
  readonly frameBytes: number;
  /** Raw data blocks in the frame, 1 to 4: each 1024 samples a channel. */
  readonly blocks: number;
}

/** Bytes that {@link parseAdtsHeader} needs to see. */
export const ADTS_HEADER_BYTES = 7;
const ADTS_MAX_FRAME_BYTES = 0x1fff;

/** Reads the ADTS header at `at`, or `undefined` when there is none (too few bytes, no sync word, impossible fields). */
export function parseAdtsHeader(data: Uint8Array, at = 0): AdtsHeader | undefined {
  if (at + ADTS_HEADER_BYTES > data.length) return undefined;
  const b1 = data[at + 1] as number;
  if (data[at] !== 0xff || (b1 & 0xf6) !== 0xf0) return undefined;
  const b2 = data[at + 2] as number;
  const b3 = data[at + 3] as number;
  const b6 = data[at + 6] as number;
  const sampleRate = AAC_SAMPLE_RATES[(b2 >> 2) & 15];
  const headerBytes = (b1 & 1) === 1 ? 7 : 9;
  const frameBytes = ((b3 & 3) << 11) | ((data[at + 4] as number) << 3) | ((data[at + 5] as number) >> 5);
  if (sampleRate === undefined || frameBytes < headerBytes) return undefined;
  return {
    objectType: (b2 >> 6) + 1,
    sampleRate,
    channelConfig: ((b2 & 1) << 2) | (b3 >> 6),
    headerBytes,
    frameBytes,
    blocks: (b6 & 3) + 1,
  };
}

/**
 * A raw AAC frame behind an ADTS header without CRC.
 * @throws MediaError when the frame is too long or the configuration cannot be told in ADTS.
 */
export function buildAdtsFrame(
  config: { readonly objectType: number; readonly sampleRate: number; readonly channelConfig: number },
  frame: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(ADTS_HEADER_BYTES + frame.length);
  writeAdtsHeader(out, 0, config, frame.length);
  out.set(frame, ADTS_HEADER_BYTES);
  return out;
}

/**
 * Writes an ADTS header (7 bytes, without CRC) for a raw frame of `frameBytes` at `at`.
 * @throws MediaError as {@link buildAdtsFrame}.
 */
export function writeAdtsHeader(
  out: Uint8Array,
  at: number,
  config: { readonly objectType: number; readonly sampleRate: number; readonly channelConfig: number },
  frameBytes: number,
): void {
  const rateIndex = AAC_SAMPLE_RATES.indexOf(config.sampleRate);
  const total = ADTS_HEADER_BYTES + frameBytes;
  if (config.objectType < 1 || config.objectType > 4 || rateIndex < 0 || config.channelConfig > 7) {
    throw new MediaError("unsupported", "AAC configuration that ADTS cannot tell");
  }
  if (total > ADTS_MAX_FRAME_BYTES) throw new MediaError("malformed", "AAC frame too long for ADTS");
  out[at] = 0xff;
  out[at + 1] = 0xf1;
  out[at + 2] = ((config.objectType - 1) << 6) | (rateIndex << 2) | (config.channelConfig >> 2);
  out[at + 3] = ((config.channelConfig & 3) << 6) | (total >> 11);
  out[at + 4] = total >> 3;
  out[at + 5] = ((total & 7) << 5) | 0x1f;
  out[at + 6] = 0xfc;
}

/** The AudioSpecificConfig that an ADTS header stands for. @throws MediaError `unsupported` for channelConfig 0. */
export function adtsToAudioSpecificConfig(header: AdtsHeader): Uint8Array {
  return buildAudioSpecificConfig(header);
}

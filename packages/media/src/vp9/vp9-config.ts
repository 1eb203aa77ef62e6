import { MediaError } from "../media-error.ts";

/** VPCodecConfigurationRecord (`vpcC`) of VP9 or VP8, VP Codec ISO Media File Format Binding. */
export interface Vp9Config {
  readonly profile: number;
  /** Ten times the level's number. */
  readonly level: number;
  readonly bitDepth: number;
  /** 0 and 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaSubsampling: number;
  readonly fullRange: boolean;
  readonly colourPrimaries: number;
  readonly transferCharacteristics: number;
  readonly matrixCoefficients: number;
}

const RECORD_BYTES = 8;

/**
 * Parses a vpcC record, with the FullBox header (version 1, flags 0) in front or without: Enhanced RTMP does not say
 * which, and both are sent.
 * @throws MediaError
 */
export function parseVp9Config(data: Uint8Array): Vp9Config {
  const boxed = data.length >= 4 + RECORD_BYTES && data[0] === 1 && data[1] === 0 && data[2] === 0 && data[3] === 0;
  const record = boxed ? data.subarray(4) : data;
  if (record.length < RECORD_BYTES) throw new MediaError("truncated", "vpcC shorter than its fixed fields");
  const packed = record[2] as number;
  return {
    profile: record[0] as number,
    level: record[1] as number,
    bitDepth: packed >> 4,
    chromaSubsampling: (packed >> 1) & 7,
    fullRange: (packed & 1) === 1,
    colourPrimaries: record[3] as number,
    transferCharacteristics: record[4] as number,
    matrixCoefficients: record[5] as number,
  };
}

/** Builds the payload of a vpcC box: FullBox header (version 1) and record. */
export function buildVp9Config(config: Vp9Config): Uint8Array {
  return Uint8Array.from([
    ...[1, 0, 0, 0],
    config.profile,
    config.level,
    (config.bitDepth << 4) | (config.chromaSubsampling << 1) | (config.fullRange ? 1 : 0),
    config.colourPrimaries,
    config.transferCharacteristics,
    config.matrixCoefficients,
    ...[0, 0],
  ]);
}

/** `vp09.PP.LL.DD`: profile, level, bit depth. */
export function vp9CodecString(config: Vp9Config): string {
  return `vp09.${[config.profile, config.level, config.bitDepth].map((n) => n.toString().padStart(2, "0")).join(".")}`;
}

/** The lowest level whose picture may be so large (VP9 levels, max luma picture size): a guess where nobody tells. */
export function leastVp9Level(pixels: number): number {
  const levels = [
    [36_864, 10],
    [73_728, 11],
    [122_880, 20],
    [245_760, 21],
    [552_960, 30],
    [983_040, 31],
    [2_228_224, 41],
    [8_912_896, 51],
  ] as const;
  return levels.find(([max]) => pixels <= max)?.[1] ?? 61;
}

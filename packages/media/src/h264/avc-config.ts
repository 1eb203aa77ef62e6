import { MediaError } from "../media-error.ts";
import type { NalLengthSize } from "../nal/nal-spans.ts";
import { parseH264Sps } from "./sps.ts";

/** AVCDecoderConfigurationRecord (`avcC`), ISO/IEC 14496-15 5.3.3.1. */
export interface AvcConfig {
  readonly profileIdc: number;
  readonly constraints: number;
  readonly levelIdc: number;
  readonly nalLengthSize: NalLengthSize;
  /** SPS NAL units with their headers. May be empty: parameter sets then come in band. */
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

/**
 * Parses an avcC payload. What follows the PPS (chroma fields of the High profiles, SPS extensions) is passed
 * over: the SPS says the same, and encoders exist that leave it out or pad it. Views of `data`.
 * @throws MediaError
 */
export function parseAvcConfig(data: Uint8Array): AvcConfig {
  if (data.length < 7) throw new MediaError("truncated", "avcC shorter than its fixed fields");
  if (data[0] !== 1) throw new MediaError("unsupported", `avcC version ${data[0]}`);
  const nalLengthSize = ((data[4] as number) & 3) + 1;
  if (nalLengthSize === 3) throw new MediaError("malformed", "avcC with NAL unit lengths of 3 bytes");
  const cursor = { at: 6 };
  const sps = readSets(data, cursor, (data[5] as number) & 0x1f);
  const ppsCount = data[cursor.at];
  if (ppsCount === undefined) throw new MediaError("truncated", "avcC without its count of PPS");
  cursor.at += 1;
  const pps = readSets(data, cursor, ppsCount);
  return {
    profileIdc: data[1] as number,
    constraints: data[2] as number,
    levelIdc: data[3] as number,
    nalLengthSize: nalLengthSize as NalLengthSize,
    sps,
    pps,
  };
}

/**
 * Builds an avcC payload with 4-byte NAL unit lengths, with the chroma fields where the profile asks for them.
 * @param sps at least one, at most 31; the first gives profile and level.
 * @throws MediaError when the first SPS cannot be parsed or there are too many sets.
 */
export function buildAvcConfig(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array {
  const first = sps[0];
  if (first === undefined) throw new MediaError("malformed", "avcC needs an SPS");
  if (sps.length > 31 || pps.length > 255) throw new MediaError("malformed", "too many parameter sets for avcC");
  const parsed = parseH264Sps(first);
  const withChroma = ![66, 77, 88].includes(parsed.profileIdc);
  const setBytes = [...sps, ...pps].reduce((sum, set) => sum + 2 + set.length, 0);
  const out = new Uint8Array(7 + setBytes + (withChroma ? 4 : 0));
  out.set([1, parsed.profileIdc, parsed.constraints, parsed.levelIdc, 0xff, 0xe0 | sps.length]);
  let at = writeSets(out, 6, sps);
  out[at] = pps.length;
  at = writeSets(out, at + 1, pps);
  if (withChroma) {
    out.set(
      [0xfc | parsed.chromaFormatIdc, 0xf8 | (parsed.bitDepthLuma - 8), 0xf8 | (parsed.bitDepthChroma - 8), 0],
      at,
    );
  }
  return out;
}

/** RFC 6381 and ISO/IEC 14496-15: `avc1.` and profile_idc, constraints, level_idc in hexadecimal. */
export function avcCodecString(config: { profileIdc: number; constraints: number; levelIdc: number }): string {
  const hex = [config.profileIdc, config.constraints, config.levelIdc].map((byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return `avc1.${hex.join("")}`;
}

function readSets(data: Uint8Array, cursor: { at: number }, count: number): Uint8Array[] {
  const sets: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const at = cursor.at;
    if (at + 2 > data.length) throw new MediaError("truncated", "avcC ends within its parameter sets");
    const length = ((data[at] as number) << 8) | (data[at + 1] as number);
    if (at + 2 + length > data.length) throw new MediaError("truncated", "parameter set longer than its avcC");
    if (length > 0) sets.push(data.subarray(at + 2, at + 2 + length));
    cursor.at = at + 2 + length;
  }
  return sets;
}

function writeSets(out: Uint8Array, start: number, sets: readonly Uint8Array[]): number {
  let at = start;
  for (const set of sets) {
    if (set.length > 0xffff) throw new MediaError("malformed", "parameter set too long for avcC");
    out[at] = set.length >> 8;
    out[at + 1] = set.length;
    out.set(set, at + 2);
    at += 2 + set.length;
  }
  return at;
}

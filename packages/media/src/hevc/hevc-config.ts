import { MediaError } from "../media-error.ts";
import type { NalLengthSize } from "../nal/nal-spans.ts";
import { HEVC_NAL, hevcNalType } from "./nal-unit-type.ts";
import { parseHevcPps } from "./pps.ts";
import type { HevcProfileTierLevel } from "./profile-tier-level.ts";
import { parseHevcSps } from "./sps.ts";

/** HEVCDecoderConfigurationRecord (`hvcC`), ISO/IEC 14496-15 8.3.3.1, as far as the parameter sets do not say it better. */
export interface HevcConfig {
  readonly nalLengthSize: NalLengthSize;
  /** NAL units with their headers. May be empty: parameter sets then come in band. */
  readonly vps: readonly Uint8Array[];
  readonly sps: readonly Uint8Array[];
  readonly pps: readonly Uint8Array[];
}

const FIXED_BYTES = 23;
const MAX_ARRAYS = 16;
const MAX_NAL_UNITS_IN_ARRAY = 64;

/**
 * Parses an hvcC payload. Arrays of other NAL units (SEI) are passed over. Views of `data`.
 * @throws MediaError
 */
export function parseHevcConfig(data: Uint8Array): HevcConfig {
  if (data.length < FIXED_BYTES) throw new MediaError("truncated", "hvcC shorter than its fixed fields");
  // Version 0 was written by encoders that followed a draft; the fields are the same.
  if ((data[0] as number) > 1) throw new MediaError("unsupported", `hvcC version ${data[0]}`);
  const nalLengthSize = ((data[21] as number) & 3) + 1;
  if (nalLengthSize === 3) throw new MediaError("malformed", "hvcC with NAL unit lengths of 3 bytes");
  const arrays = data[22] as number;
  if (arrays > MAX_ARRAYS) throw new MediaError("malformed", `hvcC with ${arrays} arrays`);
  const vps: Uint8Array[] = [];
  const sps: Uint8Array[] = [];
  const pps: Uint8Array[] = [];
  let at = FIXED_BYTES;
  for (let array = 0; array < arrays; array += 1) {
    if (at + 3 > data.length) throw new MediaError("truncated", "hvcC ends within its arrays");
    const count = ((data[at + 1] as number) << 8) | (data[at + 2] as number);
    if (count > MAX_NAL_UNITS_IN_ARRAY) throw new MediaError("malformed", `hvcC with ${count} NAL units in an array`);
    at += 3;
    for (let i = 0; i < count; i += 1) {
      if (at + 2 > data.length) throw new MediaError("truncated", "hvcC ends within an array");
      const length = ((data[at] as number) << 8) | (data[at + 1] as number);
      at += 2;
      if (at + length > data.length) throw new MediaError("truncated", "parameter set longer than its hvcC");
      const nal = data.subarray(at, at + length);
      at += length;
      // The type in the NAL unit's own header counts: there are records whose arrays are labelled wrongly.
      const type = length > 0 ? hevcNalType(nal[0] as number) : undefined;
      if (type === HEVC_NAL.VPS) vps.push(nal);
      else if (type === HEVC_NAL.SPS) sps.push(nal);
      else if (type === HEVC_NAL.PPS) pps.push(nal);
    }
  }
  return { nalLengthSize: nalLengthSize as NalLengthSize, vps, sps, pps };
}

/**
 * Builds an hvcC payload with 4-byte NAL unit lengths and complete arrays, as the `hvc1` sample entry wants.
 * @throws MediaError when there is no SPS or a set cannot be parsed.
 */
export function buildHevcConfig(
  vps: readonly Uint8Array[],
  sps: readonly Uint8Array[],
  pps: readonly Uint8Array[],
): Uint8Array {
  const first = sps[0];
  if (first === undefined) throw new MediaError("malformed", "hvcC needs an SPS");
  const parsed = parseHevcSps(first);
  const ptl = parsed.profileTierLevel;
  const arrays = [vps, sps, pps].filter((sets) => sets.length > 0);
  const bytes = arrays.reduce((sum, sets) => sum + 3 + sets.reduce((inner, set) => inner + 2 + set.length, 0), 0);
  const out = new Uint8Array(FIXED_BYTES + bytes);
  const view = new DataView(out.buffer);
  out[0] = 1;
  out[1] = (ptl.profileSpace << 6) | (ptl.highTier ? 0x20 : 0) | ptl.profileIdc;
  view.setUint32(2, ptl.compatibility);
  out.set(ptl.constraints, 6);
  out[12] = ptl.levelIdc;
  view.setUint16(13, 0xf000 | (parsed.vui?.minSpatialSegmentation ?? 0));
  out[15] = 0xfc | parallelismType(parsed.vui?.minSpatialSegmentation ?? 0, pps);
  out[16] = 0xfc | parsed.chromaFormatIdc;
  out[17] = 0xf8 | (parsed.bitDepthLuma - 8);
  out[18] = 0xf8 | (parsed.bitDepthChroma - 8);
  // avgFrameRate 0: unspecified; constantFrameRate 0: unknown.
  out[21] = (parsed.maxSubLayers << 3) | (parsed.temporalIdNesting ? 4 : 0) | 3;
  out[22] = arrays.length;
  let at = FIXED_BYTES;
  for (const sets of arrays) {
    out[at] = 0x80 | hevcNalType((sets[0] as Uint8Array)[0] as number);
    view.setUint16(at + 1, sets.length);
    at += 3;
    for (const set of sets) {
      if (set.length > 0xffff) throw new MediaError("malformed", "parameter set too long for hvcC");
      view.setUint16(at, set.length);
      out.set(set, at + 2);
      at += 2 + set.length;
    }
  }
  return out;
}

/**
 * ISO/IEC 14496-15 annex E: `hvc1.`, profile, compatibility flags in reverse bit order, tier and level,
 * constraint bytes without trailing zero bytes.
 */
export function hevcCodecString(ptl: HevcProfileTierLevel): string {
  const space = ["", "A", "B", "C"][ptl.profileSpace] as string;
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) if ((ptl.compatibility & (1 << bit)) !== 0) reversed += 2 ** (31 - bit);
  const constraints = [...ptl.constraints];
  while (constraints.at(-1) === 0) constraints.pop();
  const tail = constraints.map((byte) => `.${byte.toString(16).toUpperCase()}`).join("");
  const tier = ptl.highTier ? "H" : "L";
  return `hvc1.${space}${ptl.profileIdc}.${reversed.toString(16).toUpperCase()}.${tier}${ptl.levelIdc}${tail}`;
}

/** 0 mixed or unknown, 1 slices, 2 tiles, 3 wavefront. */
function parallelismType(minSpatialSegmentation: number, pps: readonly Uint8Array[]): number {
  if (minSpatialSegmentation === 0) return 0;
  const types = new Set(
    pps.map((set) => {
      const { tiles, wavefront } = parseHevcPps(set);
      return tiles && wavefront ? 0 : wavefront ? 3 : tiles ? 2 : 1;
    }),
  );
  const [only] = types;
  return types.size === 1 && only !== undefined ? only : 0;
}

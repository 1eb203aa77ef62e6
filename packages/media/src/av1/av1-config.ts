import { MediaError } from "../media-error.ts";
import { AV1_OBU, leb128Bytes, scanObus, writeLeb128 } from "./obu.ts";
import { type Av1SequenceHeader, parseAv1SequenceHeader } from "./sequence-header.ts";

/** AV1CodecConfigurationRecord (`av1C`), AV1 in ISOBMFF 2.3.3. */
export interface Av1Config {
  readonly profile: number;
  readonly levelIdx: number;
  readonly highTier: boolean;
  /** Payload of the sequence header OBU among configOBUs, or `undefined`: it then comes in band. A view. */
  readonly sequenceHeader: Uint8Array | undefined;
}

/** @throws MediaError */
export function parseAv1Config(data: Uint8Array): Av1Config {
  if (data.length < 4) throw new MediaError("truncated", "av1C shorter than its fixed fields");
  if (data[0] !== 0x81) throw new MediaError("unsupported", "av1C of another version");
  const obus = data.subarray(4);
  const header = scanObus(obus).find((obu) => obu.type === AV1_OBU.SEQUENCE_HEADER);
  return {
    profile: (data[1] as number) >> 5,
    levelIdx: (data[1] as number) & 0x1f,
    highTier: ((data[2] as number) & 0x80) !== 0,
    sequenceHeader: header === undefined ? undefined : obus.subarray(header.payloadStart, header.end),
  };
}

/**
 * Builds an av1C payload.
 * @param sequenceHeader payload of a sequence header OBU.
 * @throws MediaError
 */
export function buildAv1Config(sequenceHeader: Uint8Array): Uint8Array {
  const parsed = parseAv1SequenceHeader(sequenceHeader);
  const sizeBytes = leb128Bytes(sequenceHeader.length);
  const out = new Uint8Array(4 + 1 + sizeBytes + sequenceHeader.length);
  out[0] = 0x81;
  out[1] = (parsed.profile << 5) | parsed.levelIdx;
  out[2] =
    (parsed.highTier ? 0x80 : 0) |
    (parsed.bitDepth > 8 ? 0x40 : 0) |
    (parsed.bitDepth === 12 ? 0x20 : 0) |
    (parsed.monochrome ? 0x10 : 0) |
    (parsed.subsamplingX ? 8 : 0) |
    (parsed.subsamplingY ? 4 : 0) |
    parsed.chromaSamplePosition;
  out[4] = (AV1_OBU.SEQUENCE_HEADER << 3) | 2;
  writeLeb128(out, 5, sequenceHeader.length);
  out.set(sequenceHeader, 5 + sizeBytes);
  return out;
}

/**
 * AV1 in ISOBMFF section 5: `av01.P.LLT.DD`, and the optional fields when one of them is not what their absence stands
 * for (4:2:0, BT.709, studio range).
 */
export function av1CodecString(header: Av1SequenceHeader): string {
  const two = (value: number) => value.toString().padStart(2, "0");
  const head = `av01.${header.profile}.${two(header.levelIdx)}${header.highTier ? "H" : "M"}.${two(header.bitDepth)}`;
  const subsampled = header.subsamplingX && header.subsamplingY;
  const chroma = `${header.subsamplingX ? 1 : 0}${header.subsamplingY ? 1 : 0}${subsampled ? header.chromaSamplePosition : 0}`;
  const { primaries, transfer, matrix } = header.colour ?? { primaries: 1, transfer: 1, matrix: 1 };
  const tail = `.${header.monochrome ? 1 : 0}.${chroma}.${two(primaries)}.${two(transfer)}.${two(matrix)}.${header.fullRange ? 1 : 0}`;
  const plain =
    !header.monochrome && subsampled && primaries === 1 && transfer === 1 && matrix === 1 && !header.fullRange;
  return plain ? head : head + tail;
}

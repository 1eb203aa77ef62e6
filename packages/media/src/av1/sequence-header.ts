import { BitReader } from "../bits/bit-reader.ts";
import type { ColourDescription } from "../h264/vui.ts";
import { sensibleFrameRate } from "../h264/vui.ts";
import { MediaError } from "../media-error.ts";

/** sequence_header_obu(), AV1 5.5.1, as far as anything here asks. */
export interface Av1SequenceHeader {
  /** 0 Main, 1 High, 2 Professional. */
  readonly profile: number;
  readonly reducedStillPicture: boolean;
  /** seq_level_idx of operating point 0. */
  readonly levelIdx: number;
  /** seq_tier of operating point 0. */
  readonly highTier: boolean;
  /** max_frame_width and height, pixels. */
  readonly width: number;
  readonly height: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  readonly chromaSamplePosition: number;
  readonly colour: ColourDescription | undefined;
  readonly fullRange: boolean;
  /** Frames a second, where timing_info and equal_picture_interval say so. */
  readonly frameRate: number | undefined;
}

const SELECT = 2;
const SRGB: ColourDescription = { primaries: 1, transfer: 13, matrix: 0 };

/**
 * @param payload of the OBU, header and size removed.
 * @throws MediaError
 */
export function parseAv1SequenceHeader(payload: Uint8Array): Av1SequenceHeader {
  const reader = new BitReader(payload);
  const profile = reader.u(3);
  if (profile > 2) throw new MediaError("unsupported", `AV1 profile ${profile}`);
  reader.skip(1); // still_picture
  const reducedStillPicture = reader.flag();
  let levelIdx: number;
  let highTier = false;
  let frameRate: number | undefined;
  if (reducedStillPicture) {
    levelIdx = reader.u(5);
  } else {
    const timing = readTiming(reader);
    frameRate = timing.frameRate;
    const initialDisplayDelay = reader.flag();
    const operatingPoints = reader.u(5) + 1;
    levelIdx = 0;
    for (let i = 0; i < operatingPoints; i += 1) {
      reader.skip(12); // operating_point_idc
      const level = reader.u(5);
      const tier = level > 7 && reader.flag();
      if (timing.decoderModel !== undefined && reader.flag()) reader.skip(2 * timing.decoderModel + 1);
      if (initialDisplayDelay && reader.flag()) reader.skip(4);
      if (i === 0) {
        levelIdx = level;
        highTier = tier;
      }
    }
  }
  const widthBits = reader.u(4) + 1;
  const heightBits = reader.u(4) + 1;
  const width = reader.u(widthBits) + 1;
  const height = reader.u(heightBits) + 1;
  if (!reducedStillPicture && reader.flag()) reader.skip(4 + 3); // frame id lengths
  reader.skip(3); // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
  if (!reducedStillPicture) skipInterTools(reader);
  reader.skip(3); // enable_superres, enable_cdef, enable_restoration
  const colour = readColourConfig(reader, profile);
  return { profile, reducedStillPicture, levelIdx, highTier, width, height, frameRate, ...colour };
}

export function av1ProfileName(profile: number): string | undefined {
  return ["Main", "High", "Professional"][profile];
}

/** `decoderModel` is buffer_delay_length where there is a decoder model. */
function readTiming(reader: BitReader): { frameRate: number | undefined; decoderModel: number | undefined } {
  if (!reader.flag()) return { frameRate: undefined, decoderModel: undefined };
  const unitsInTick = reader.u(32);
  const timeScale = reader.u(32);
  let frameRate: number | undefined;
  if (reader.flag()) frameRate = sensibleFrameRate(timeScale, unitsInTick * (readUvlc(reader) + 1));
  let decoderModel: number | undefined;
  if (reader.flag()) {
    decoderModel = reader.u(5) + 1;
    reader.skip(32 + 5 + 5); // num_units_in_decoding_tick, removal and presentation time lengths
  }
  return { frameRate, decoderModel };
}

function skipInterTools(reader: BitReader): void {
  reader.skip(4); // interintra, masked compound, warped motion, dual filter
  const orderHint = reader.flag();
  if (orderHint) reader.skip(2); // enable_jnt_comp, enable_ref_frame_mvs
  const screenContent = reader.flag() ? SELECT : reader.u(1);
  if (screenContent > 0 && !reader.flag()) reader.skip(1); // seq_force_integer_mv
  if (orderHint) reader.skip(3); // order_hint_bits_minus_1
}

function readColourConfig(reader: BitReader, profile: number) {
  const highBitDepth = reader.flag();
  const bitDepth = profile === 2 && highBitDepth ? (reader.flag() ? 12 : 10) : highBitDepth ? 10 : 8;
  const monochrome = profile !== 1 && reader.flag();
  const described = reader.flag();
  const colour = described ? { primaries: reader.u(8), transfer: reader.u(8), matrix: reader.u(8) } : undefined;
  const rest = { bitDepth, monochrome, colour } as const;
  if (monochrome) {
    return { ...rest, fullRange: reader.flag(), subsamplingX: true, subsamplingY: true, chromaSamplePosition: 0 };
  }
  if (colour?.primaries === SRGB.primaries && colour.transfer === SRGB.transfer && colour.matrix === SRGB.matrix) {
    return { ...rest, fullRange: true, subsamplingX: false, subsamplingY: false, chromaSamplePosition: 0 };
  }
  const fullRange = reader.flag();
  let subsamplingX = profile !== 1;
  let subsamplingY = profile === 0;
  if (profile === 2 && bitDepth === 12) {
    subsamplingX = reader.flag();
    subsamplingY = subsamplingX && reader.flag();
  }
  const chromaSamplePosition = subsamplingX && subsamplingY ? reader.u(2) : 0;
  return { ...rest, fullRange, subsamplingX, subsamplingY, chromaSamplePosition };
}

/** uvlc(), AV1 4.10.3. */
function readUvlc(reader: BitReader): number {
  let zeros = 0;
  while (!reader.flag()) zeros += 1;
  if (zeros >= 32) return 0xffffffff;
  return reader.u(zeros) + 2 ** zeros - 1;
}

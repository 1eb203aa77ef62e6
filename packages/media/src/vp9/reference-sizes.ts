import { BitReader } from "../bits/bit-reader.ts";
import { MediaError } from "../media-error.ts";

/** Frames that a decoder holds for reference. */
const SLOTS = 8;
const CS_RGB = 7;
/** Bits of the values of segmentation features, and whether a sign follows (VP9 § 6.2.11). */
const FEATURE_BITS = [8, 6, 2, 0] as const;
const FEATURE_SIGNED = [true, true, false, false] as const;

interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** What there is to know of a frame in a superframe. */
export interface Vp9FrameLayout extends FrameSize {
  readonly keyframe: boolean;
  readonly shown: boolean;
  /** Where show_frame stands, bits from the beginning. */
  readonly showFrameBit: number;
  /** Bits of the uncompressed header; zeros up to a whole byte follow. */
  readonly headerBits: number;
}

/**
 * Reads the uncompressed headers (VP9 § 6.2) of all frames of a stream, in order: the size of most frames is that of one
 * they are predicted from.
 */
export class Vp9ReferenceSizes {
  /** `undefined` where the size is not known. */
  readonly #slots: (FrameSize | undefined)[] = new Array<FrameSize | undefined>(SLOTS).fill(undefined);

  /** After a loss: nothing is known before the next keyframe. */
  reset(): void {
    this.#slots.fill(undefined);
  }

  /**
   * @param frame one frame, not a superframe.
   * @returns `undefined` where there is nothing to decode in it (show_existing_frame) or a size is not known.
   * @throws MediaError where the header cannot be read.
   */
  read(frame: Uint8Array): Vp9FrameLayout | undefined {
    const reader = new BitReader(frame);
    if (reader.u(2) !== 2) throw new MediaError("malformed", "no VP9 frame marker");
    const low = reader.u(1);
    const profile = low + 2 * reader.u(1);
    if (profile === 3) reader.skip(1);
    if (reader.flag()) return undefined;
    const keyframe = !reader.flag();
    const showFrameBit = reader.bitPosition;
    const shown = reader.flag();
    const errorResilient = reader.flag();
    let refreshed = 0xff;
    let size: FrameSize | undefined;
    if (keyframe) {
      reader.skip(24);
      skipColourConfig(reader, profile);
      size = readFrameSize(reader);
      skipRenderSize(reader);
    } else {
      const intraOnly = !shown && reader.flag();
      if (!errorResilient) reader.skip(2);
      if (intraOnly) {
        reader.skip(24);
        if (profile > 0) skipColourConfig(reader, profile);
        refreshed = reader.u(8);
        size = readFrameSize(reader);
        skipRenderSize(reader);
      } else {
        refreshed = reader.u(8);
        size = this.#readSizeWithReferences(reader);
        skipRenderSize(reader);
        reader.skip(1);
        if (!reader.flag()) reader.skip(2);
      }
    }
    for (let slot = 0; slot < SLOTS; slot += 1) if (((refreshed >> slot) & 1) === 1) this.#slots[slot] = size;
    if (size === undefined) return undefined;
    if (!errorResilient) reader.skip(2);
    reader.skip(2);
    skipLoopFilter(reader);
    skipQuantization(reader);
    skipSegmentation(reader);
    skipTiles(reader, size.width);
    reader.skip(16);
    return { ...size, keyframe, shown, showFrameBit, headerBits: reader.bitPosition };
  }

  /** frame_size_with_refs(), VP9 § 6.2.2. */
  #readSizeWithReferences(reader: BitReader): FrameSize | undefined {
    const references: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      references.push(reader.u(3));
      reader.skip(1);
    }
    for (const slot of references) if (reader.flag()) return this.#slots[slot];
    return readFrameSize(reader);
  }
}

function readFrameSize(reader: BitReader): FrameSize {
  const width = reader.u(16) + 1;
  return { width, height: reader.u(16) + 1 };
}

function skipRenderSize(reader: BitReader): void {
  if (reader.flag()) reader.skip(32);
}

function skipColourConfig(reader: BitReader, profile: number): void {
  if (profile >= 2) reader.skip(1);
  const colourSpace = reader.u(3);
  const subsamplingTold = profile === 1 || profile === 3;
  if (colourSpace !== CS_RGB) reader.skip(subsamplingTold ? 4 : 1);
  else if (subsamplingTold) reader.skip(1);
}

function skipLoopFilter(reader: BitReader): void {
  reader.skip(6 + 3);
  if (!reader.flag() || !reader.flag()) return;
  for (let i = 0; i < 4 + 2; i += 1) if (reader.flag()) reader.skip(7);
}

function skipQuantization(reader: BitReader): void {
  reader.skip(8);
  for (let i = 0; i < 3; i += 1) if (reader.flag()) reader.skip(5);
}

function skipSegmentation(reader: BitReader): void {
  if (!reader.flag()) return;
  if (reader.flag()) {
    skipProbabilities(reader, 7);
    if (reader.flag()) skipProbabilities(reader, 3);
  }
  if (!reader.flag()) return;
  reader.skip(1);
  for (let segment = 0; segment < 8; segment += 1) {
    for (let feature = 0; feature < 4; feature += 1) {
      if (!reader.flag()) continue;
      reader.skip((FEATURE_BITS[feature] as number) + (FEATURE_SIGNED[feature] ? 1 : 0));
    }
  }
}

function skipProbabilities(reader: BitReader, count: number): void {
  for (let i = 0; i < count; i += 1) if (reader.flag()) reader.skip(8);
}

/** tile_info(), VP9 § 6.2.13. */
function skipTiles(reader: BitReader, width: number): void {
  const columns = (((width + 7) >> 3) + 7) >> 3;
  let least = 0;
  while (64 << least < columns) least += 1;
  let most = 1;
  while (columns >> most >= 4) most += 1;
  most -= 1;
  for (let log2 = least; log2 < most && reader.flag(); log2 += 1);
  if (reader.flag()) reader.skip(1);
}

/**
 * The program's media from page to engine (STU3): one binary message for each coded frame, or block of samples. A header of
 * {@link PROGRAM_HEADER_BYTES} bytes, numbers little-endian, then the data:
 *
 * | Offset | Type | Meaning |
 * |---|---|---|
 * | 0 | u8 | kind, {@link PROGRAM_KIND} |
 * | 1 | u8 | bit 0: keyframe |
 * | 2 | u16 | `upload` of an asset; else `isolated` |
 * | 4 | u32 | video: width (u16 low) and height (u16 high); sound: sample rate (low 24 bits), channels (high 8) |
 * | 8 | f64 | timestamp, µs on the page's program clock; asset: offset in bytes |
 */
export const PROGRAM_HEADER_BYTES = 16;

/** Never changed; new ones are added. */
export const PROGRAM_KIND = {
  /** AVCDecoderConfigurationRecord; before the first picture and whenever it changes, and again before any keyframe. */
  avc_config: 1,
  /** An access unit of H.264, NAL units with 4-byte lengths, without B-frames. */
  avc: 2,
  /** Uncompressed picture, I420 without padding, BT.709 in its limited range: the engine encodes it. */
  i420: 3,
  /** Interleaved signed 16-bit samples, little-endian: the engine encodes them. */
  pcm: 4,
  /** AudioSpecificConfig. */
  aac_config: 5,
  /** A raw AAC frame. */
  aac: 6,
  /** A piece of the asset that `begin_asset` announced. */
  asset: 7,
} as const;
export type ProgramKind = keyof typeof PROGRAM_KIND;

export interface ProgramFrame {
  readonly kind: ProgramKind;
  readonly keyframe: boolean;
  /** Of `asset`: which upload. */
  readonly upload: number;
  /** Of what is no asset: which source that is recorded by itself it is of (`IsolatedState.number`); 0: it is the program's. */
  readonly isolated: number;
  /** Pixels; 0 for sound. */
  readonly width: number;
  readonly height: number;
  /** Hz and count; 0 for pictures. */
  readonly sampleRate: number;
  readonly channels: number;
  /** µs on the page's program clock; for `asset` the offset in bytes. */
  readonly timestamp: number;
  /** Shares memory with the message. */
  readonly data: Uint8Array<ArrayBuffer>;
}

const KINDS = Object.keys(PROGRAM_KIND) as ProgramKind[];
const MAX_TIMESTAMP = Number.MAX_SAFE_INTEGER;

function isSound(kind: ProgramKind): boolean {
  return kind === "pcm" || kind === "aac" || kind === "aac_config";
}

/** All of a frame but its data. */
export interface ProgramHeader extends Omit<ProgramFrame, "data" | "isolated"> {
  /** Default 0. */
  readonly isolated?: number;
}

/** Writes a header at the front of `into`, whose rest is the data: so a frame is copied once, by whoever encoded it. */
export function writeProgramHeader(into: Uint8Array<ArrayBuffer>, frame: ProgramHeader): void {
  const view = new DataView(into.buffer, into.byteOffset, PROGRAM_HEADER_BYTES);
  view.setUint8(0, PROGRAM_KIND[frame.kind]);
  view.setUint8(1, frame.keyframe ? 1 : 0);
  view.setUint16(2, frame.kind === "asset" ? frame.upload : (frame.isolated ?? 0), true);
  const shape = isSound(frame.kind)
    ? frame.sampleRate + frame.channels * 2 ** 24
    : frame.width + frame.height * 2 ** 16;
  view.setUint32(4, shape, true);
  view.setFloat64(8, frame.timestamp, true);
}

/** @returns undefined where it is not a message of this kind. */
export function readProgramFrame(message: Uint8Array<ArrayBuffer>): ProgramFrame | undefined {
  if (message.length <= PROGRAM_HEADER_BYTES) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, PROGRAM_HEADER_BYTES);
  const kind = KINDS[view.getUint8(0) - 1];
  const timestamp = view.getFloat64(8, true);
  if (kind === undefined || !(timestamp >= 0 && timestamp <= MAX_TIMESTAMP)) return undefined;
  const shape = view.getUint32(4, true);
  const sound = isSound(kind);
  return {
    kind,
    keyframe: (view.getUint8(1) & 1) === 1,
    upload: kind === "asset" ? view.getUint16(2, true) : 0,
    isolated: kind === "asset" ? 0 : view.getUint16(2, true),
    width: sound ? 0 : shape & 0xffff,
    height: sound ? 0 : shape >>> 16,
    sampleRate: sound ? shape & 0xff_ffff : 0,
    channels: sound ? shape >>> 24 : 0,
    timestamp,
    data: message.subarray(PROGRAM_HEADER_BYTES),
  };
}

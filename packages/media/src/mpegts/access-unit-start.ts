/**
 * Whether the NAL unit at `at` (its header byte) begins an access unit, given that a slice came before it:
 * H.264 7.4.1.2.3, HEVC 7.4.2.4.4. The order of slices is taken as it is in all profiles that are broadcast.
 */
export type AccessUnitStart = (data: Uint8Array, at: number, end: number) => boolean;

export const h264BeginsAccessUnit: AccessUnitStart = (data, at, end) => {
  switch ((data[at] as number) & 0x1f) {
    case 1: // slice
    case 2: // slice data partition A
    case 5: // IDR slice
      return at + 1 < end && ((data[at + 1] as number) & 0x80) !== 0; // first_mb_in_slice is 0
    case 6: // SEI
    case 7: // SPS
    case 8: // PPS
    case 9: // access unit delimiter
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
      return true;
    default:
      return false;
  }
};

export const hevcBeginsAccessUnit: AccessUnitStart = (data, at, end) => {
  const type = ((data[at] as number) >> 1) & 0x3f;
  if (at + 1 < end && (((data[at] as number) & 1) << 5) + ((data[at + 1] as number) >> 3) !== 0) return false; // nuh_layer_id
  if (type < 32) return at + 2 < end && ((data[at + 2] as number) & 0x80) !== 0; // first_slice_segment_in_pic_flag
  return type <= 35 || type === 39 || (type >= 41 && type <= 44) || (type >= 48 && type <= 55);
};

/** Whether the NAL unit type is that of a slice (of the base layer). */
export function isSlice(codec: "h264" | "hevc", headerByte: number): boolean {
  if (codec === "hevc") return (headerByte & 0x7f) < 64;
  const type = headerByte & 0x1f;
  return type === 1 || type === 2 || type === 5;
}

/** More zeros than this in front of a start code are padding of something else. */
const MAX_LEADING_ZEROS = 64;

/**
 * Whether `data[start, end)` begins with an access unit, given that a slice came before it; `unknown` when more bytes
 * are needed to tell.
 */
export function tellStart(
  beginsAccessUnit: AccessUnitStart,
  data: Uint8Array,
  start: number,
  end: number,
): "begins" | "continues" | "unknown" {
  let at = start;
  while (at < end && data[at] === 0) at += 1;
  const zeros = at - start;
  if (zeros > MAX_LEADING_ZEROS) return "continues";
  if (at === end) return "unknown";
  if (zeros < 2 || data[at] !== 1) return "continues";
  if (at + BYTES_OF_NAL_TO_TELL >= end) return "unknown";
  return beginsAccessUnit(data, at + 1, end) ? "begins" : "continues";
}

/** The longest NAL unit header and a byte of the slice. */
const BYTES_OF_NAL_TO_TELL = 3;

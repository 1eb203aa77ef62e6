/** nal_unit_type, H.264 table 7-1; those that anything here tells apart. */
export const H264_NAL = {
  SLICE: 1,
  SLICE_PARTITION_A: 2,
  SLICE_IDR: 5,
  SEI: 6,
  SPS: 7,
  PPS: 8,
  ACCESS_UNIT_DELIMITER: 9,
  END_OF_SEQUENCE: 10,
  END_OF_STREAM: 11,
  FILLER_DATA: 12,
  SPS_EXTENSION: 13,
} as const;

/** @param headerByte first byte of the NAL unit. */
export function h264NalType(headerByte: number): number {
  return headerByte & 0x1f;
}

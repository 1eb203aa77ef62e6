/** nal_unit_type, HEVC table 7-1; those that anything here tells apart. */
export const HEVC_NAL = {
  BLA_W_LP: 16,
  IDR_W_RADL: 19,
  IDR_N_LP: 20,
  CRA: 21,
  LAST_IRAP: 23,
  LAST_VCL: 31,
  VPS: 32,
  SPS: 33,
  PPS: 34,
  ACCESS_UNIT_DELIMITER: 35,
  END_OF_SEQUENCE: 36,
  END_OF_BITSTREAM: 37,
  FILLER_DATA: 38,
  SEI_PREFIX: 39,
  SEI_SUFFIX: 40,
} as const;

/** @param headerByte first of the NAL unit's two header bytes. */
export function hevcNalType(headerByte: number): number {
  return (headerByte >> 1) & 0x3f;
}

/** Whether decoding can begin at a picture of this type (IDR, BLA, CRA). */
export function isHevcRandomAccess(nalType: number): boolean {
  return nalType >= HEVC_NAL.BLA_W_LP && nalType <= HEVC_NAL.LAST_IRAP;
}

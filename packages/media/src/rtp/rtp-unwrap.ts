import { centredModulo } from "../timeline/wrap.ts";

/** Where RTP sequence numbers wrap to zero. */
const SEQUENCE_MODULUS = 2 ** 16;
/** Where RTP timestamps wrap to zero. */
const TIMESTAMP_MODULUS = 2 ** 32;

/** `later - earlier` of two sequence numbers, the short way round: −32768 to 32767. */
export function sequenceDistance(later: number, earlier: number): number {
  return centredModulo(later - earlier, SEQUENCE_MODULUS);
}

/** The number whose low 16 bits are the sequence number `raw`, nearest to `near`: goes on past the wrap. */
export function unwrapSequenceNumber(raw: number, near: number): number {
  return near + centredModulo(raw - near, SEQUENCE_MODULUS);
}

/** The number whose low 32 bits are the RTP timestamp `raw`, nearest to `near`: goes on past the wrap. */
export function unwrapRtpTimestamp(raw: number, near: number): number {
  return near + centredModulo(raw - near, TIMESTAMP_MODULUS);
}

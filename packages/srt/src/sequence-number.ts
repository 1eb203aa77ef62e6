/**
 * Packet sequence numbers are 31 bits on the wire and timestamps 32 bits of microseconds. Inside this
 * package both are "extended": plain numbers that never wrap, so that every comparison is `<`.
 */

/** First value past the largest sequence number of the wire. */
export const SEQUENCE_MODULUS = 0x8000_0000;

/** Where extended numbering starts: one whole turn, so that numbers slightly before the first are still positive. */
export function extendInitialSequence(sequence: number): number {
  return SEQUENCE_MODULUS + sequence;
}

/** The extended number nearest to `reference` whose low 31 bits are `sequence`. */
export function extendSequence(sequence: number, reference: number): number {
  return reference + (((sequence - (reference & 0x7fff_ffff)) << 1) >> 1);
}

/** The 31 bits that go onto the wire. */
export function wireSequence(extended: number): number {
  return extended & 0x7fff_ffff;
}

/** The extended timestamp (µs) nearest to `reference` whose low 32 bits are `timestamp`. */
export function extendTimestamp(timestamp: number, reference: number): number {
  const whole = Math.floor(reference);
  return whole + ((timestamp - (whole >>> 0)) | 0);
}

/** The 32 bits of an extended timestamp (µs) that go onto the wire. */
export function wireTimestamp(micros: number): number {
  return Math.floor(micros) >>> 0;
}

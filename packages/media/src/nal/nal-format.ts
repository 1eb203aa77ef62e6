import { type NalLengthSize, NalSpans } from "./nal-spans.ts";

// Scratch of the one-shot functions below; they are synchronous and never re-entered.
const scratch = new NalSpans();

/** Decides by the first byte of a NAL unit whether it stays. */
export type NalFilter = (headerByte: number) => boolean;

/**
 * The NAL units of an Annex B byte stream, as views of `data`.
 * @throws MediaError `malformed` for an absurd number of them.
 */
export function splitAnnexB(data: Uint8Array): Uint8Array[] {
  scratch.scanAnnexB(data);
  return views(data, scratch);
}

/**
 * The NAL units of a length-prefixed access unit, as views of `data`.
 * @throws MediaError `truncated`, `malformed`
 */
export function splitLengthPrefixed(data: Uint8Array, lengthSize: NalLengthSize = 4): Uint8Array[] {
  scratch.scanLengthPrefixed(data, lengthSize);
  return views(data, scratch);
}

/**
 * An Annex B access unit with 4-byte lengths in place of start codes; NAL units that `keep` refuses are left out.
 * One scan, one allocation. Empty when nothing is left.
 * @throws MediaError `malformed`
 */
export function annexBToLengthPrefixed(data: Uint8Array, keep?: NalFilter): Uint8Array {
  scratch.scanAnnexB(data);
  return joinLengthPrefixed(data, scratch, keep);
}

/**
 * A length-prefixed access unit with start codes (00 00 00 01) in place of lengths.
 * @throws MediaError `truncated`, `malformed`
 */
export function lengthPrefixedToAnnexB(data: Uint8Array, lengthSize: NalLengthSize = 4, keep?: NalFilter): Uint8Array {
  scratch.scanLengthPrefixed(data, lengthSize);
  const out = allocate(data, scratch, keep);
  let at = 0;
  for (let i = 0; i < scratch.count; i += 1) {
    const start = scratch.start(i);
    if (keep !== undefined && !keep(data[start] as number)) continue;
    out[at + 3] = 1;
    out.set(data.subarray(start, scratch.end(i)), at + 4);
    at += 4 + scratch.end(i) - start;
  }
  return out;
}

/** The NAL units that `spans` marks in `data`, with 4-byte lengths, without those that `keep` refuses. */
export function joinLengthPrefixed(data: Uint8Array, spans: NalSpans, keep?: NalFilter): Uint8Array {
  const out = allocate(data, spans, keep);
  let at = 0;
  for (let i = 0; i < spans.count; i += 1) {
    const start = spans.start(i);
    if (keep !== undefined && !keep(data[start] as number)) continue;
    const length = spans.end(i) - start;
    out[at] = length >>> 24;
    out[at + 1] = length >>> 16;
    out[at + 2] = length >>> 8;
    out[at + 3] = length;
    out.set(data.subarray(start, start + length), at + 4);
    at += 4 + length;
  }
  return out;
}

function allocate(data: Uint8Array, spans: NalSpans, keep: NalFilter | undefined): Uint8Array {
  let bytes = 0;
  for (let i = 0; i < spans.count; i += 1) {
    const start = spans.start(i);
    if (keep === undefined || keep(data[start] as number)) bytes += 4 + spans.end(i) - start;
  }
  return new Uint8Array(bytes);
}

function views(data: Uint8Array, spans: NalSpans): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let i = 0; i < spans.count; i += 1) units.push(data.subarray(spans.start(i), spans.end(i)));
  return units;
}

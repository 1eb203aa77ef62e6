import { MediaError } from "../media-error.ts";

/** VP9 Annex B: the index of a superframe has 3 bits for the number of frames. */
export const MAX_VP9_SUPERFRAME_FRAMES = 8;

/**
 * A superframe (VP9 Annex B) of frames that lie one after the other in `data`.
 * @param ends where each frame ends; the first begins at 0. At least one.
 * @returns a copy with the index behind it; of a single frame, a copy as it is.
 * @throws MediaError for more frames than an index has room for.
 */
export function buildVp9Superframe(data: Uint8Array, ends: readonly number[]): Uint8Array {
  const length = ends.at(-1) ?? 0;
  if (ends.length > MAX_VP9_SUPERFRAME_FRAMES) throw new MediaError("malformed", "too many frames for a superframe");
  if (ends.length === 1) return new Uint8Array(data.subarray(0, length));
  let largest = 0;
  let start = 0;
  for (const end of ends) {
    largest = Math.max(largest, end - start);
    start = end;
  }
  const sizeBytes = largest < 2 ** 8 ? 1 : largest < 2 ** 16 ? 2 : largest < 2 ** 24 ? 3 : 4;
  const out = new Uint8Array(length + 2 + sizeBytes * ends.length);
  out.set(data.subarray(0, length));
  const marker = 0xc0 | ((sizeBytes - 1) << 3) | (ends.length - 1);
  let at = length;
  out[at++] = marker;
  start = 0;
  for (const end of ends) {
    for (let i = 0, size = end - start; i < sizeBytes; i += 1, size >>>= 8) out[at++] = size;
    start = end;
  }
  out[at] = marker;
  return out;
}

import { copyBytes } from "../bits/copy-bytes.ts";

/**
 * The RBSP of a NAL unit: emulation prevention bytes removed (H.264 7.3.1, HEVC 7.3.1.1).
 * Returns a view of `nal` when there is nothing to remove.
 *
 * @param limit look at no more than this many bytes of the NAL unit: enough for a header of interest.
 */
export function toRbsp(nal: Uint8Array, limit = nal.length): Uint8Array {
  const end = Math.min(limit, nal.length);
  let removed = 0;
  let zeros = 0;
  let out: Uint8Array | undefined;
  for (let i = 0; i < end; i += 1) {
    const byte = nal[i] as number;
    if (zeros >= 2 && byte === 3) {
      out ??= copyBytes(nal, 0, end);
      removed += 1;
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    if (out !== undefined) out[i - removed] = byte;
  }
  return out === undefined ? nal.subarray(0, end) : out.subarray(0, end - removed);
}

/** The inverse of {@link toRbsp}: inserts emulation prevention bytes. */
export function fromRbsp(rbsp: Uint8Array): Uint8Array {
  const out = new Uint8Array(rbsp.length + Math.ceil(rbsp.length / 2) + 1);
  let length = 0;
  let zeros = 0;
  for (const byte of rbsp) {
    if (zeros >= 2 && byte <= 3) {
      out[length++] = 3;
      zeros = 0;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  // A NAL unit must not end in a zero byte (only cabac_zero_words can make an RBSP do so).
  if (zeros > 0) out[length++] = 3;
  return out.subarray(0, length);
}

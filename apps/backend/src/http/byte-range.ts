/** First and last byte, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range that a `Range` header asks for (RFC 9110 § 14.1.2).
 * @returns undefined where the header is to be ignored (another unit, several ranges, malformed).
 */
export function parseRange(header: string, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return undefined;
    const suffix = Number(last);
    if (suffix === 0 || size === 0) return "unsatisfiable";
    return { start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}

/** The bytes of `range` out of the concatenation of `chunks`, without copying. */
export function sliceChunks(chunks: readonly Uint8Array[], range: ByteRange): Uint8Array[] {
  const out: Uint8Array[] = [];
  let at = 0;
  for (const chunk of chunks) {
    const start = Math.max(range.start - at, 0);
    const end = Math.min(range.end + 1 - at, chunk.byteLength);
    if (start < end) out.push(chunk.subarray(start, end));
    at += chunk.byteLength;
    if (at > range.end) break;
  }
  return out;
}

/** One range of bytes (RFC 9110 § 14.2), as players of films ask; of several, or what cannot be read, the whole is the answer. */
export function rangeOf(
  header: string | null,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const last = size - 1;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? last : Math.min(Number(match[2]), last);
  return start > last || (match[2] !== "" && end < start) ? "unsatisfiable" : { start, end };
}

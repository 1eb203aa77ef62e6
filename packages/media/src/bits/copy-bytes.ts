/**
 * A copy of `data[start..end)` in memory of its own. Not `data.slice()`: that is a copy of a Uint8Array but a view of a
 * Buffer, and what comes from sockets and files is a Buffer.
 */
export function copyBytes(data: Uint8Array, start = 0, end = data.length): Uint8Array {
  return new Uint8Array(data.subarray(start, end));
}

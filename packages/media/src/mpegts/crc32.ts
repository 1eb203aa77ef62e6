const TABLE = makeTable();

/**
 * The CRC of program specific information: CRC-32/MPEG-2 (ISO/IEC 13818-1 annex A), polynomial 0x04C11DB7,
 * not reflected. Over a section that ends in its own CRC the answer is 0.
 */
export function crc32Mpeg(data: Uint8Array, start = 0, end = data.length): number {
  let crc = -1;
  for (let i = start; i < end; i += 1) {
    crc = (crc << 8) ^ (TABLE[((crc >>> 24) ^ (data[i] as number)) & 0xff] as number);
  }
  return crc >>> 0;
}

function makeTable(): Int32Array {
  const table = new Int32Array(256);
  for (let i = 0; i < 256; i += 1) {
    let crc = i << 24;
    for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    table[i] = crc;
  }
  return table;
}

/** Builds boxes (ISO 14496-12 §4.2) for headers that are written once; the per-chunk path does not come through here. */

/** A box of `type` around `payload`, its parts one after the other. */
export function box(type: string, ...payload: readonly Uint8Array[]): Uint8Array {
  let size = 8;
  for (const part of payload) size += part.byteLength;
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, size);
  for (let i = 0; i < 4; i += 1) bytes[4 + i] = type.charCodeAt(i);
  let offset = 8;
  for (const part of payload) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** A full box: `version` (8 bits) and `flags` (24 bits) before the payload. */
export function fullBox(type: string, version: number, flags: number, ...payload: readonly Uint8Array[]): Uint8Array {
  return box(type, u32(version * 0x1000000 + flags), ...payload);
}

/** Unsigned 32-bit big-endian numbers. */
export function u32(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i += 1) view.setUint32(i * 4, values[i] as number);
  return bytes;
}

/** Unsigned 16-bit big-endian numbers. */
export function u16(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i += 1) view.setUint16(i * 2, values[i] as number);
  return bytes;
}

export function u8(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** ASCII, without a terminator. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function zeros(count: number): Uint8Array {
  return new Uint8Array(count);
}

import { AmfEcmaArray, type AmfObject, AmfTypedObject, type AmfValue, AmfXml } from "./amf-value.ts";

/**
 * Encodes `values` one after the other as AMF0. Values are written out each time: no references are made, so a value
 * that contains itself is an error (a RangeError, from nesting deeper than 64), as is a byte array, which AMF0 lacks
 * (a TypeError).
 */
export function encodeAmf0(...values: readonly AmfValue[]): Buffer {
  const writer = new Amf0Writer();
  for (const value of values) writer.value(value, 0);
  return writer.finish();
}

const MAX_DEPTH = 64;

class Amf0Writer {
  #body = Buffer.allocUnsafe(512);
  #length = 0;

  finish(): Buffer {
    return this.#body.subarray(0, this.#length);
  }

  value(value: AmfValue, depth: number): void {
    if (depth > MAX_DEPTH) throw new RangeError("AMF0 value nests too deep, or contains itself");
    if (value === undefined) this.#u8(0x06);
    else if (value === null) this.#u8(0x05);
    else if (typeof value === "number") {
      this.#u8(0x00);
      this.#double(value);
    } else if (typeof value === "boolean") {
      this.#u8(0x01);
      this.#u8(value ? 1 : 0);
    } else if (typeof value === "string") {
      if (Buffer.byteLength(value) <= 0xffff) {
        this.#u8(0x02);
        this.#shortString(value);
      } else {
        this.#u8(0x0c);
        this.#longString(value);
      }
    } else if (Array.isArray(value)) {
      this.#u8(0x0a);
      this.#u32(value.length);
      for (const item of value) this.value(item, depth + 1);
    } else if (value instanceof Date) {
      this.#u8(0x0b);
      this.#double(value.getTime());
      this.#u16(0);
    } else if (value instanceof AmfXml) {
      this.#u8(0x0f);
      this.#longString(value.text);
    } else if (Buffer.isBuffer(value)) {
      throw new TypeError("AMF0 has no byte array");
    } else if (value instanceof AmfEcmaArray) {
      this.#u8(0x08);
      this.#u32(Object.keys(value.values).length);
      this.#properties(value.values, depth);
    } else if (value instanceof AmfTypedObject) {
      this.#u8(0x10);
      this.#shortString(value.className);
      this.#properties(value.values, depth);
    } else {
      this.#u8(0x03);
      this.#properties(value, depth);
    }
  }

  #properties(values: AmfObject, depth: number): void {
    for (const name of Object.keys(values)) {
      this.#shortString(name);
      this.value(values[name], depth + 1);
    }
    this.#u16(0);
    this.#u8(0x09);
  }

  #shortString(text: string): void {
    const length = Buffer.byteLength(text);
    if (length > 0xffff) throw new RangeError("AMF0 names hold at most 65535 bytes");
    this.#u16(length);
    this.#utf8(text, length);
  }

  #longString(text: string): void {
    const length = Buffer.byteLength(text);
    this.#u32(length);
    this.#utf8(text, length);
  }

  #utf8(text: string, length: number): void {
    const at = this.#reserve(length);
    this.#body.write(text, at, length, "utf8");
  }

  #u8(value: number): void {
    const at = this.#reserve(1);
    this.#body.writeUInt8(value, at);
  }

  #u16(value: number): void {
    const at = this.#reserve(2);
    this.#body.writeUInt16BE(value, at);
  }

  #u32(value: number): void {
    const at = this.#reserve(4);
    this.#body.writeUInt32BE(value, at);
  }

  #double(value: number): void {
    const at = this.#reserve(8);
    this.#body.writeDoubleBE(value, at);
  }

  /** Where the next `bytes` go; called before `#body` is looked at, as it may put another buffer there. */
  #reserve(bytes: number): number {
    const at = this.#length;
    if (at + bytes > this.#body.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#body.length * 2, at + bytes));
      this.#body.copy(grown, 0, 0, at);
      this.#body = grown;
    }
    this.#length = at + bytes;
    return at;
  }
}

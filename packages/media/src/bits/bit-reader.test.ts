import fc from "fast-check";
import { expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { BitReader } from "./bit-reader.ts";
import { BitWriter } from "./bit-writer.ts";

test("fields come back as they were written", () => {
  const field = fc
    .integer({ min: 1, max: 32 })
    .chain((bits) => fc.record({ bits: fc.constant(bits), value: fc.integer({ min: 0, max: 2 ** bits - 1 }) }));
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const writer = new BitWriter();
      for (const { bits, value } of fields) writer.u(bits, value);
      const reader = new BitReader(writer.toBytes());
      for (const { bits, value } of fields) expect(reader.u(bits)).toBe(value);
      expect(reader.bitsLeft).toBeLessThan(8);
    }),
  );
});

test("Exp-Golomb codes up to 32 bits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 2 }), (value) => {
      const bits = Math.floor(Math.log2(value + 1));
      const bytes = new BitWriter()
        .u(bits, 0)
        .u(1, 1)
        .u(bits, value + 1 - 2 ** bits)
        .toBytes();
      expect(new BitReader(bytes).ue()).toBe(value);
      const signed = value % 2 === 0 ? -(value / 2) : (value + 1) / 2;
      expect(new BitReader(bytes).se()).toBe(signed === 0 ? 0 : signed);
    }),
  );
  expect(() => new BitReader(new Uint8Array(8)).ue()).toThrow(MediaError);
});

test("reading past the end is an error, not a zero", () => {
  const reader = new BitReader(Uint8Array.of(1, 2), 0, 1);
  expect(reader.u(8)).toBe(1);
  expect(() => reader.u(1)).toThrow(MediaError);
  expect(() => reader.flag()).toThrow(MediaError);
  expect(() => reader.skip(1)).toThrow(MediaError);
  expect(() => reader.ue()).toThrow(MediaError);
});

test("more_rbsp_data stops at the stop bit", () => {
  const reader = new BitReader(Uint8Array.of(0b1010_1000, 0, 0));
  expect(reader.moreRbspData()).toBe(true);
  reader.skip(4);
  expect(reader.moreRbspData()).toBe(false);
  expect(new BitReader(new Uint8Array(3)).moreRbspData()).toBe(false);
});

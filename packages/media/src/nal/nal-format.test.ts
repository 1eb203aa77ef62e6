import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { fromRbsp, toRbsp } from "./emulation-prevention.ts";
import { annexBToLengthPrefixed, lengthPrefixedToAnnexB, splitAnnexB, splitLengthPrefixed } from "./nal-format.ts";
import { MAX_NAL_UNITS, type NalLengthSize } from "./nal-spans.ts";

/** Payloads full of what start codes and emulation prevention are about. */
const rbsp = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .chain((noise) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 2, 3, 0x65), { maxLength: 40 })
      .map((zeros) => Uint8Array.of(...zeros, ...noise, 0x80)),
  );
const nalUnits = fc.array(
  rbsp.map((payload) => Uint8Array.of(0x65, ...fromRbsp(payload))),
  { minLength: 1, maxLength: 12 },
);

function annexB(units: readonly Uint8Array[], codes: readonly boolean[], zeros: number): Uint8Array {
  return Uint8Array.from(
    units.flatMap((unit, i) => [
      ...(codes[i] === true ? [0] : []),
      0,
      0,
      1,
      ...unit,
      ...new Array<number>(zeros).fill(0),
    ]),
  );
}

function lengthPrefixed(units: readonly Uint8Array[], size: NalLengthSize): Uint8Array {
  return Uint8Array.from(
    units.flatMap((unit) => [...[24, 16, 8, 0].slice(4 - size).map((shift) => (unit.length >> shift) & 0xff), ...unit]),
  );
}

describe("emulation prevention", () => {
  test("comes off as it went on, and leaves no start code", () => {
    fc.assert(
      fc.property(rbsp, (payload) => {
        const escaped = fromRbsp(payload);
        expect(toRbsp(escaped)).toEqual(payload);
        for (let i = 0; i + 2 < escaped.length; i += 1) {
          expect(escaped[i] === 0 && escaped[i + 1] === 0 && (escaped[i + 2] as number) < 3).toBe(false);
        }
      }),
    );
  });

  test("does not touch its input, Buffer or not, and copies only when it must", () => {
    const bytes = [9, 0, 0, 3, 1, 0, 0, 3, 0];
    for (const nal of [Buffer.from(bytes), Uint8Array.from(bytes)]) {
      expect([...toRbsp(nal)]).toEqual([9, 0, 0, 1, 0, 0, 0]);
      expect([...nal]).toEqual(bytes);
    }
    const plain = Uint8Array.of(1, 2, 3, 4);
    expect(toRbsp(plain).buffer).toBe(plain.buffer);
    expect([...toRbsp(Uint8Array.from(bytes), 4)]).toEqual([9, 0, 0]);
  });
});

describe("NAL units", () => {
  test("are found behind 3- and 4-byte start codes, trailing zeros cut off", () => {
    fc.assert(
      fc.property(nalUnits, fc.array(fc.boolean()), fc.integer({ min: 0, max: 3 }), (units, codes, zeros) => {
        expect(splitAnnexB(annexB(units, codes, zeros)).map((unit) => [...unit])).toEqual(
          units.map((unit) => [...unit]),
        );
      }),
    );
  });

  test("go from Annex B to 4-byte lengths and back", () => {
    fc.assert(
      fc.property(nalUnits, fc.array(fc.boolean()), (units, codes) => {
        const stored = annexBToLengthPrefixed(annexB(units, codes, 0));
        expect([...stored]).toEqual([...lengthPrefixed(units, 4)]);
        expect([...lengthPrefixedToAnnexB(stored)]).toEqual([
          ...annexB(
            units,
            units.map(() => true),
            0,
          ),
        ]);
      }),
    );
  });

  test("are found behind lengths of 1, 2 and 4 bytes, empty ones left out", () => {
    fc.assert(
      fc.property(nalUnits, fc.constantFrom<NalLengthSize>(1, 2, 4), (units, size) => {
        const data = lengthPrefixed([...units, new Uint8Array(0)], size);
        expect(splitLengthPrefixed(data, size).map((unit) => [...unit])).toEqual(units.map((unit) => [...unit]));
      }),
    );
  });

  test("are left out when the filter says so", () => {
    const units = [Uint8Array.of(9, 0xf0), Uint8Array.of(0x65, 1), Uint8Array.of(9, 0x10)];
    const keep = (header: number) => header !== 9;
    expect([...annexBToLengthPrefixed(annexB(units, [], 0), keep)]).toEqual([0, 0, 0, 2, 0x65, 1]);
    expect([...lengthPrefixedToAnnexB(lengthPrefixed(units, 2), 2, keep)]).toEqual([0, 0, 0, 1, 0x65, 1]);
    expect(annexBToLengthPrefixed(Uint8Array.of(1, 2, 3)).length).toBe(0);
  });

  test("cut off, or absurdly many, are an error", () => {
    expect(() => splitLengthPrefixed(Uint8Array.of(0, 0, 0, 2, 1))).toThrow(MediaError);
    expect(() => splitLengthPrefixed(Uint8Array.of(0, 0))).toThrow(MediaError);
    expect(() => splitLengthPrefixed(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1))).toThrow(MediaError);
    const many = new Uint8Array(2 * (MAX_NAL_UNITS + 1)).fill(1);
    expect(() => splitLengthPrefixed(many, 1)).toThrow(MediaError);
    expect(splitLengthPrefixed(many.subarray(2), 1)).toHaveLength(MAX_NAL_UNITS);
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { extendSequence, extendTimestamp, SEQUENCE_MODULUS, wireSequence, wireTimestamp } from "./sequence-number.ts";

const reference = fc.integer({ min: SEQUENCE_MODULUS, max: 2 ** 50 });

test("ING2: an extended sequence number comes back from its 31 bits, near any reference", () => {
  fc.assert(
    fc.property(reference, fc.integer({ min: -(2 ** 30), max: 2 ** 30 - 1 }), (near, distance) => {
      expect(extendSequence(wireSequence(near + distance), near)).toBe(near + distance);
    }),
  );
});

test("ING2: an extended timestamp comes back from its 32 bits, near any reference", () => {
  fc.assert(
    fc.property(reference, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (near, distance) => {
      expect(extendTimestamp(wireTimestamp(near + distance), near)).toBe(near + distance);
    }),
  );
});

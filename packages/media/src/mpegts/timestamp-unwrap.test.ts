import fc from "fast-check";
import { expect, test } from "vitest";
import { TIMESTAMP_MODULUS, TimestampUnwrap, timestampDifference, wrapTimestamp } from "./timestamp-unwrap.ts";

test("timestamps that move by less than half a circle come back whole, however often they wrapped", () => {
  const steps = fc.array(fc.integer({ min: -90_000, max: 2 ** 31 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: TIMESTAMP_MODULUS - 1 }), steps, (first, moves) => {
      const unwrap = new TimestampUnwrap();
      let at = first;
      expect(unwrap.unwrap(first)).toBe(first);
      for (const move of moves) {
        if (at + move < 0) continue;
        at += move;
        expect(unwrap.unwrap(wrapTimestamp(at))).toBe(at);
      }
    }),
  );
});

test("a timestamp from before the wrap in a stream that began after it goes an epoch up instead of below zero", () => {
  const unwrap = new TimestampUnwrap();
  expect(unwrap.unwrap(100)).toBe(100);
  expect(unwrap.unwrap(TIMESTAMP_MODULUS - 50)).toBe(TIMESTAMP_MODULUS - 50);
  expect(unwrap.unwrap(200)).toBe(TIMESTAMP_MODULUS + 200);
});

test("differences go the short way round", () => {
  expect(timestampDifference(5, TIMESTAMP_MODULUS - 5)).toBe(10);
  expect(timestampDifference(TIMESTAMP_MODULUS - 5, 5)).toBe(-10);
  expect(timestampDifference(2 ** 32, 0)).toBe(-(2 ** 32));
  expect(wrapTimestamp(-1)).toBe(TIMESTAMP_MODULUS - 1);
  expect(wrapTimestamp(3 * TIMESTAMP_MODULUS + 7)).toBe(7);
});

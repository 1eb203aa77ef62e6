import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRange, sliceChunks } from "./byte-range.ts";

describe("DLV1: ranges (RFC 9110 § 14.1.2)", () => {
  it.each([
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=5-", { start: 5, end: 99 }],
    ["bytes=-10", { start: 90, end: 99 }],
    ["bytes=-1000", { start: 0, end: 99 }],
    ["bytes=90-200", { start: 90, end: 99 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", undefined],
    ["bytes=0-1,3-4", undefined],
    ["items=0-1", undefined],
    ["bytes=-", undefined],
  ])("reads %s", (header, expected) => {
    expect(parseRange(header, 100)).toEqual(expected);
  });

  it("cuts the same bytes out of chunks as out of the whole", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 8 }),
        fc.nat(70),
        fc.nat(70),
        (chunks, a, b) => {
          const whole = Buffer.concat(chunks);
          const range = { start: Math.min(a, b), end: Math.max(a, b) };
          expect(Buffer.concat(sliceChunks(chunks, range))).toEqual(whole.subarray(range.start, range.end + 1));
        },
      ),
    );
  });
});

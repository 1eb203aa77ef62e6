import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finalReason, rejoinDelay } from "./rejoin.ts";

describe("coming back (RTC2)", () => {
  it.each([
    [4400, "protocol"],
    [4401, "refused"],
    [4403, "removed"],
    [4409, "replaced"],
    [4410, "ended"],
    [4429, null],
    [4503, null],
    [1006, null],
    [1000, null],
    [1012, null],
  ])("after %d: %s", (code, reason) => expect(finalReason(code)).toBe(reason));

  it("waits longer from time to time, never longer than a person would, and not with all the others at once", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const delay = rejoinDelay(attempt, 1006, random);
        expect(delay).toBeGreaterThanOrEqual(200);
        expect(delay).toBeLessThanOrEqual(19_000);
        expect(rejoinDelay(attempt + 1, 1006, random)).toBeGreaterThanOrEqual(delay);
      }),
    );
    expect(rejoinDelay(0, 1006, 0)).not.toBe(rejoinDelay(0, 1006, 1));
    expect(rejoinDelay(0, 4429, 0)).toBeGreaterThan(rejoinDelay(0, 1006, 1));
  });
});

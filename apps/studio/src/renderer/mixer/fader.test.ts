import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FADER_MAX, FADER_MIN, faderGain, faderPosition, meterPosition, PeakHold } from "./fader.ts";

describe("faders and meters (STU2)", () => {
  test("a fader gives back what it was set to", () => {
    fc.assert(
      fc.property(fc.integer({ min: FADER_MIN * 10, max: FADER_MAX * 10 }), (tenths) => {
        const db = tenths / 10;
        const back = faderGain(faderPosition(db));
        expect(Math.abs(back - db)).toBeLessThan(0.41);
      }),
    );
    expect([faderGain(0), faderGain(0.75), faderGain(1)]).toEqual([-60, 0, 20]);
    expect([faderPosition(-60), faderPosition(0), faderPosition(20)]).toEqual([0, 0.75, 1]);
    // Within bounds that the show's document takes, whatever comes.
    expect([faderGain(-1), faderGain(2)]).toEqual([-60, 20]);
  });

  test("a meter goes from −60 dBFS to full scale", () => {
    expect([-120, -60, -30, 0, 6].map(meterPosition)).toEqual([0, 0, 0.5, 1, 1]);
  });

  test("a peak stays for a moment, then falls", () => {
    const peak = new PeakHold();
    expect(peak.add(-6, 0)).toBe(-6);
    expect(peak.add(-30, 1000)).toBe(-6);
    expect(peak.add(-30, 1500)).toBe(-6);
    expect(peak.add(-30, 2000)).toBe(-16);
    expect(peak.add(-30, 3000)).toBe(-30);
    expect(peak.add(-3, 3050)).toBe(-3);
  });
});

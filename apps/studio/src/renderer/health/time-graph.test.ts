import { describe, expect, test } from "vitest";
import { pathOf, windowOf } from "./time-graph.tsx";

describe("a small graph (STU4)", () => {
  test("goes back to the beginning, no less than a minute and no more than five", () => {
    expect(windowOf([], 0)).toBe(60_000);
    expect(windowOf([{ at: 1_000_000 }], 1_005_000)).toBe(60_000);
    expect(windowOf([{ at: 1_000_000 }, { at: 1_100_000 }], 1_120_000)).toBe(120_000);
    expect(windowOf([{ at: 0 }], 1_000_000)).toBe(300_000);
  });

  test("is a line from left to right that breaks in a gap and leaves out what is too old", () => {
    const series = [
      { at: 0, value: 5 },
      { at: 40_000, value: 10 },
      { at: 70_000, value: 0 },
      { at: 80_000, value: Number.NaN },
      { at: 100_000, value: 20 },
    ];
    expect(pathOf(series, 100_000, 60_000, 10)).toBe("M0.0 2.0L200.0 38.0M400.0 2.0");
  });
});

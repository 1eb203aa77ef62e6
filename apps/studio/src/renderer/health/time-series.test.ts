import { describe, expect, test } from "vitest";
import { TimeSeries } from "./time-series.ts";

function filled(capacity: number, values: readonly (number | undefined)[]): TimeSeries {
  const series = new TimeSeries(capacity);
  for (const [i, value] of values.entries()) series.push(i * 1000, value);
  return series;
}

describe("a figure over time (STU4)", () => {
  test("keeps the last values only, oldest first", () => {
    const series = filled(3, [1, 2, 3, 4, 5]);
    expect([...series]).toEqual([
      { at: 2000, value: 3 },
      { at: 3000, value: 4 },
      { at: 4000, value: 5 },
    ]);
    expect(series.size).toBe(3);
    expect(series.latest).toBe(5);
  });

  test("has nothing to tell while it is empty, or in a gap", () => {
    expect(new TimeSeries(3).latest).toBeUndefined();
    expect(new TimeSeries(3).meanSince(0)).toBeUndefined();
    expect(filled(3, [1, undefined]).latest).toBeUndefined();
  });

  test("tells by how much a counter rose, also when it began anew", () => {
    expect(filled(10, [0, 3, 5, 5, 9]).risenSince(0)).toBe(9);
    expect(filled(10, [0, 3, 5, 5, 9]).risenSince(2500)).toBe(4);
    expect(filled(10, [100, 103, 2, 4]).risenSince(0)).toBe(7);
    expect(filled(10, [100, undefined, 104]).risenSince(2000)).toBe(4);
    expect(filled(10, [100]).risenSince(0)).toBe(0);
  });

  test("tells the mean, and since when something holds", () => {
    const series = filled(10, [30, 30, undefined, 20, 22, 24]);
    expect(series.meanSince(3000)).toBe(22);
    expect(series.heldFor((value) => value < 25)).toBe(2000);
    expect(series.heldFor((value) => value > 25)).toBe(0);
  });

  test("begins anew when it is cleared", () => {
    const series = filled(3, [1, 2, 3, 4]);
    series.clear();
    expect([...series]).toEqual([]);
    series.push(9000, 7);
    expect([...series]).toEqual([{ at: 9000, value: 7 }]);
  });
});

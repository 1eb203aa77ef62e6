import { describe, expect, it } from "vitest";
import { afterHole, type Buffering, bufferedAfter, bufferedAhead } from "./buffered.ts";

function media(currentTime: number, ...ranges: [number, number][]): Buffering {
  const buffered = {
    length: ranges.length,
    start: (index: number) => ranges[index]?.[0] ?? 0,
    end: (index: number) => ranges[index]?.[1] ?? 0,
  };
  return { currentTime, buffered };
}

describe("buffered media", () => {
  it("counts what can be played without interruption", () => {
    expect(bufferedAhead(media(2, [0, 3], [4, 9]))).toBe(1);
    expect(bufferedAhead(media(0.95, [1, 3]))).toBeCloseTo(2.05);
    expect(bufferedAhead(media(3.5, [0, 3], [4, 9]))).toBe(0);
    expect(bufferedAhead(media(0))).toBe(0);
  });

  it("counts everything after the playhead, holes or not", () => {
    expect(bufferedAfter(media(2, [0, 3], [4, 9]))).toBe(6);
    expect(bufferedAfter(media(3.5, [0, 3], [4, 9]))).toBe(5);
  });

  it("finds the end of a hole", () => {
    expect(afterHole(media(3, [0, 3], [4, 9]))).toBe(4);
    expect(afterHole(media(2.95, [0, 3], [4, 9]))).toBe(4);
    expect(afterHole(media(2, [0, 3], [4, 9]))).toBeNull();
    expect(afterHole(media(9, [0, 9]))).toBeNull();
  });
});

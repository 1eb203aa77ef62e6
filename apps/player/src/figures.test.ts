import { describe, expect, it } from "vitest";
import { bitrate, clock, count, latency, milliseconds, percent, seconds, span } from "./figures.ts";

describe("figures", () => {
  it.each([
    [3_012_000, "3.0 Mb/s"],
    [804_000, "800 kb/s"],
    [998_000, "1.0 Mb/s"],
    [64_400, "64 kb/s"],
    [352_000_000, "352 Mb/s"],
    [0, "–"],
    [Number.NaN, "–"],
  ])("writes a bit rate of %d as %s", (value, words) => expect(bitrate(value)).toBe(words));

  it.each([
    [1.42, "1.4 s"],
    [0, "0.0 s"],
    [-0.3, "0.0 s"],
    [59.96, "0:59"],
    [65, "1:05"],
    [Number.POSITIVE_INFINITY, "–"],
  ])("writes a latency of %d s as %s", (value, words) => expect(latency(value)).toBe(words));

  it("writes a fraction of a second with two decimals where it is told to", () => {
    expect(latency(0.1849, 2)).toBe("0.18 s");
  });

  it("writes what a network does", () => {
    expect(milliseconds(41.6)).toBe("42 ms");
    expect(milliseconds(null)).toBe("–");
    expect(percent(0.0123)).toBe("1.2 %");
    expect(percent(Number.NaN)).toBe("–");
  });

  it("writes positions like a clock", () => {
    expect(clock(75)).toBe("1:15");
    expect(clock(3720)).toBe("1:02:00");
    expect(clock(-4)).toBe("0:00");
  });

  it("groups thousands", () => {
    expect(count(12_840)).toBe("12\u00a0840");
    expect(count(999)).toBe("999");
  });

  it("writes what is not known as a dash", () => {
    expect(seconds(null)).toBe("–");
    expect(seconds(0.33366, 3)).toBe("0.334 s");
  });

  it("gives a span in hours and minutes, and none under a minute", () => {
    expect(span(59_999)).toBeNull();
    expect(span(42 * 60_000)).toEqual({ hours: 0, minutes: 42 });
    expect(span(65 * 60_000)).toEqual({ hours: 1, minutes: 5 });
    expect(span(Number.NaN)).toBeNull();
  });
});

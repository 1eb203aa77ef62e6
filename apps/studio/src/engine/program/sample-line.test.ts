import { describe, expect, test } from "vitest";
import { SampleLine } from "./sample-line.ts";

const BLOCK = 960;
const BLOCK_US = 20_000;

describe("STU3: samples on their way to an encoder", () => {
  test("steady blocks go through as they are, whatever their timestamps jitter", () => {
    const line = new SampleLine(48_000);
    for (let i = 0; i < 500; i += 1) {
      const jitter = ((i * 7) % 11) * 1000 - 5000;
      expect(line.place(1e6 + i * BLOCK_US + jitter, BLOCK)).toEqual({ silence: 0, skip: 0, anew: false });
    }
  });

  test("a hole is filled, an overlap cut, a jump begins anew", () => {
    const line = new SampleLine(48_000);
    line.place(0, BLOCK);
    expect(line.place(BLOCK_US + 200_000, BLOCK)).toEqual({ silence: 9600, skip: 0, anew: false });
    expect(line.place(2 * BLOCK_US + 200_000 - 100_000, BLOCK)).toEqual({ silence: 0, skip: BLOCK, anew: false });
    expect(line.place(9e6, BLOCK)).toEqual({ silence: 0, skip: 0, anew: true });
    expect(line.startUs).toBe(9e6);
  });

  test("a sound card that runs 200 ppm slow is followed sample by sample, to within 20 ms in an hour", () => {
    const line = new SampleLine(48_000);
    let put = 0;
    let most = 0;
    const blocks = 3600 * 50;
    for (let i = 0; i < blocks; i += 1) {
      const { silence, skip, anew } = line.place(i * BLOCK_US * 1.0002, BLOCK);
      expect(anew).toBe(false);
      most = Math.max(most, silence, skip);
      put += silence - skip;
    }
    expect(most).toBe(1);
    expect(Math.abs((put * 1000) / 48_000 - 3600 * 0.2)).toBeLessThan(20);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LevelBoard, SELF_LEVEL } from "./level-board.ts";
import { decibelsOf, meterOf } from "./level-meter.ts";

describe("levels (RTC2)", () => {
  it("measures full scale as 0 dBFS but 3 dB for a sine, and silence as silence", () => {
    const sine = Float32Array.from({ length: 4800 }, (_, index) => Math.sin((2 * Math.PI * index) / 48));
    expect(decibelsOf(sine)).toBeCloseTo(-3.01, 1);
    expect(decibelsOf(sine.map((sample) => sample / 10))).toBeCloseTo(-23.01, 1);
    expect(meterOf(decibelsOf(new Float32Array(480)))).toBe(0);
    expect(meterOf(0)).toBe(1);
    expect(meterOf(-34)).toBeCloseTo(0.5);
  });
});

describe("the board of levels (RTC2)", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("tells who listens, and takes silence for silence when nothing is told any more", () => {
    const board = new LevelBoard();
    const heard: number[] = [];
    const end = board.listen("ben", (meter) => heard.push(meter));
    board.setOthers(new Map([["ben", 0.5]]));
    board.set("ben", 0.5);
    vi.advanceTimersByTime(600);
    board.set("ben", 0.6);
    vi.advanceTimersByTime(600);
    expect(heard).toEqual([0, 0.5, 0.6]);
    vi.advanceTimersByTime(200);
    expect(heard.at(-1)).toBe(0);
    end();
    board.set("ben", 0.9);
    expect(heard.at(-1)).toBe(0);
    board.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("silences who is not in the list any more, but not who is measured here", () => {
    const board = new LevelBoard();
    board.setOthers(new Map([["ben", 0.5]]));
    board.set(SELF_LEVEL, 0.7);
    board.setOthers(new Map([["eve", 0.3]]));
    expect(["ben", "eve", SELF_LEVEL].map((id) => board.of(id))).toEqual([0, 0.3, 0.7]);
    board.close();
  });
});

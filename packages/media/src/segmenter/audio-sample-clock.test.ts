import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AudioSampleClock } from "./audio-sample-clock.ts";

const FRAME = 1024;

describe("PKG1 audio sample clock", () => {
  test("frames whose timestamps are rounded to milliseconds or ticks follow on one another exactly", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(44_100, 48_000, 22_050, 96_000),
        fc.constantFrom<"ms" | "tick" | "floor ms">("ms", "tick", "floor ms"),
        fc.integer({ min: 0, max: 1e7 }),
        (rate, rounding, startMs) => {
          const clock = new AudioSampleClock(rate);
          let first = 0;
          let moved = 0;
          for (let i = 0; i < 2000; i += 1) {
            const seconds = startMs / 1000 + (i * FRAME) / rate;
            const ms = rounding === "ms" ? Math.round(seconds * 1000) : Math.floor(seconds * 1000 + 1e-6);
            const { start, jumped } = clock.place(rounding === "tick" ? Math.round(seconds * 90_000) : ms * 90, FRAME);
            if (jumped) throw new Error(`a jump at frame ${i}`);
            if (i === 0) first = start;
            moved = Math.max(moved, Math.abs(start - first - i * FRAME));
          }
          // Never a jump, and at most the first timestamp's own rounding is made good.
          expect(moved).toBeLessThanOrEqual(rate / 1000);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a lost frame is a hole of exactly that frame, an extra one an overlap that still moves on", () => {
    const clock = new AudioSampleClock(48_000);
    const at = (frames: number) => (frames * FRAME * 90_000) / 48_000;
    expect(clock.place(at(0), FRAME)).toEqual({ start: 0, jumped: false });
    expect(clock.place(at(1), FRAME)).toEqual({ start: 1024, jumped: false });
    expect(clock.place(at(3), FRAME)).toEqual({ start: 3072, jumped: true });
    expect(clock.place(at(4), FRAME)).toEqual({ start: 4096, jumped: false });
    expect(clock.place(at(4), FRAME)).toEqual({ start: 4097, jumped: true });
    expect(clock.place(at(5), FRAME)).toEqual({ start: 5121, jumped: false });
  });

  test("a clock that drifts is followed by a sample a frame, and never left behind by more than half a frame", () => {
    for (const ppm of [-900, -200, -20, 20, 200, 900]) {
      const clock = new AudioSampleClock(44_100);
      let last = -FRAME;
      let farthest = 0;
      let step = 0;
      let jumps = 0;
      for (let i = 0; i < 50_000; i += 1) {
        const position = i * FRAME * (1 + ppm / 1e6);
        const { start, jumped } = clock.place((position * 90_000) / 44_100, FRAME);
        if (jumped) jumps += 1;
        step = Math.max(step, Math.abs(start - last - FRAME));
        farthest = Math.max(farthest, Math.abs(start - position));
        last = start;
      }
      expect(jumps).toBe(0);
      expect(step).toBeLessThanOrEqual(1);
      expect(farthest).toBeLessThan(FRAME / 2);
    }
  });

  test("frames of 2.5 ms stand millisecond timestamps", () => {
    const clock = new AudioSampleClock(48_000);
    for (let i = 0; i < 1000; i += 1) expect(clock.place(Math.floor(i * 2.5) * 90, 120).jumped).toBe(false);
  });

  test("after a reset the next timestamp counts", () => {
    const clock = new AudioSampleClock(48_000);
    clock.place(0, FRAME);
    clock.reset();
    expect(clock.place(90_100, FRAME)).toEqual({ start: 48_053, jumped: false });
    clock.reset();
    // Even then decode times rise.
    expect(clock.place(0, FRAME).start).toBe(48_054);
  });
});

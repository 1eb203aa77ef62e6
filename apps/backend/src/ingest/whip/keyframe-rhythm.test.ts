import { ManualClock } from "@klieg/base";
import { expect, it } from "vitest";
import { KeyframeRhythm } from "./keyframe-rhythm.ts";

function setUp(answerAfterMs: number | undefined) {
  const clock = new ManualClock();
  const asked: number[] = [];
  const answered: number[] = [];
  let due: number | undefined;
  const rhythm = new KeyframeRhythm(clock, 2000, () => {
    asked.push(clock.now());
    if (answerAfterMs !== undefined) due ??= clock.now() + answerAfterMs;
  });
  const run = (ms: number, frames = true) => {
    for (let at = 0; at < ms; at += 25) {
      const keyframe = due !== undefined && clock.now() >= due;
      if (keyframe) {
        due = undefined;
        answered.push(clock.now());
      }
      if (frames) rhythm.onFrame(keyframe);
      rhythm.tick();
      clock.advance(25);
    }
  };
  return { rhythm, asked, answered, run, clock };
}

it("RTC3: has a keyframe made for each segment", () => {
  const { rhythm, answered, run } = setUp(100);
  rhythm.onFrame(true);
  run(10_600);
  expect(answered.map((at, i) => at - (answered[i - 1] ?? 0))).toEqual([2100, 2100, 2100, 2100, 2100]);
});

it("is not put out of step by keyframes that others have asked for", () => {
  const { rhythm, asked, run } = setUp(undefined);
  rhythm.onFrame(true);
  run(1000);
  rhythm.onFrame(true);
  run(1100);
  expect(asked).toEqual([2000]);
});

it("does not press a sender that does not answer, and begins anew when it does", () => {
  const { rhythm, asked, run } = setUp(undefined);
  rhythm.onFrame(true);
  run(40_000);
  expect(asked).toEqual([2000, 3000, 5000, 9000, 17_000, 25_000, 33_000]);
  rhythm.onFrame(true);
  run(3000);
  expect(asked.at(-1)).toBe(42_000);
});

it("asks for nothing while there is no picture, and at once after a loss", () => {
  const { rhythm, asked, run } = setUp(undefined);
  rhythm.onFrame(true);
  run(20_000, false);
  expect(asked).toEqual([]);
  rhythm.askNow();
  expect(asked).toEqual([20_000]);
});

import { describe, expect, test } from "vitest";
import { PlayoutClock } from "./playout-clock.ts";

/** Frames 40 ms apart, each so late. */
function play(clock: PlayoutClock, lateMs: readonly number[], from = 0): void {
  for (const [i, late] of lateMs.entries()) clock.arrived((from + i) * 40, 1000 + (from + i) * 40 + late);
}

describe("when frames of a live source are due (STU1)", () => {
  test("those that come evenly are held back by the least", () => {
    const clock = new PlayoutClock(40);
    expect(clock.dueAt(0)).toBeUndefined();
    play(
      clock,
      Array.from({ length: 50 }, () => 0),
    );
    expect(clock.dueAt(50 * 40)).toBe(1000 + 50 * 40 + 40);
  });

  test("those that come in bursts are shown at the pace at which they were taken", () => {
    const clock = new PlayoutClock(40);
    // Five at a time: the first of five is 160 ms late, the last not at all.
    play(
      clock,
      Array.from({ length: 50 }, (_, i) => (4 - (i % 5)) * 40),
    );
    expect(clock.delayMs).toBeGreaterThanOrEqual(160);
    expect(clock.delayMs).toBeLessThan(220);
    const [one, next] = [clock.dueAt(2000), clock.dueAt(2040)];
    expect((next as number) - (one as number)).toBe(40);
  });

  test("a network that has calmed down gives its delay back", () => {
    const clock = new PlayoutClock(40);
    play(
      clock,
      Array.from({ length: 50 }, (_, i) => (i === 20 ? 700 : 0)),
    );
    expect(clock.delayMs).toBeGreaterThan(700);
    play(
      clock,
      Array.from({ length: 600 }, () => 0),
      50,
    );
    expect(clock.delayMs).toBe(40 + 0);
  });

  test("a source whose clock is slow is followed, without more and more delay", () => {
    const clock = new PlayoutClock(40);
    // 200 millionths: 2.4 ms in each 12 s.
    for (let i = 0; i < 30_000; i += 1) clock.arrived(i * 40, 1000 + i * 40 * 1.0002);
    const last = 30_000 * 40;
    expect((clock.dueAt(last) as number) - (1000 + last * 1.0002)).toBeLessThan(60);
    expect((clock.dueAt(last) as number) - (1000 + last * 1.0002)).toBeGreaterThan(20);
  });

  test("what stays away for long is not waited for when it comes", () => {
    const clock = new PlayoutClock(40);
    play(clock, [0, 0, 0]);
    expect(clock.arrived(120, 1000 + 120 + 1600)).toBe(true);
    expect(clock.dueAt(120)).toBe(1000 + 120 + 1600 + 40);
    // The rest of what was held up comes at once, and is shown as soon as it was before.
    for (const ms of [160, 200, 1720]) clock.arrived(ms, 1000 + 1720);
    expect(clock.dueAt(1760)).toBe(1000 + 1760 + 40);
  });

  test("a timeline that begins anew is noticed, and is not held against the old one", () => {
    const clock = new PlayoutClock(40);
    play(clock, [0, 0, 0]);
    expect(clock.arrived(3_600_000, 1200)).toBe(true);
    expect(clock.dueAt(3_600_040)).toBe(1200 + 40 + 40);
    clock.reset();
    expect(clock.arrived(0, 9000)).toBe(false);
    expect(clock.dueAt(0)).toBe(9040);
  });
});

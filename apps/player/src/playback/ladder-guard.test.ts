import { describe, expect, it } from "vitest";
import { LadderGuard } from "./ladder-guard.ts";

const READING = { now: 0, backlog: 0.2, bufferAhead: 0.8, holdBack: 1, partTarget: 0.333 };

/** Moments, ms, at which the guard steps down when fetching runs at `speed` times real time. */
function steps(speed: number, seconds: number): number[] {
  const guard = new LadderGuard();
  const taken: number[] = [];
  for (let now = 0; now <= seconds * 1000; now += 250) {
    const lost = Math.max(0, (now / 1000) * (1 - speed));
    const reading = { ...READING, now, backlog: 0.2 + lost, bufferAhead: Math.max(0, 0.8 - lost) };
    if (guard.shouldStepDown(reading)) taken.push(now);
  }
  return taken;
}

describe("ladder guard (PLY1, DLV5)", () => {
  it("steps down before a network that is too slow for the rendition runs the buffer dry", () => {
    const [first] = steps(0.7, 10);
    expect(first).toBeDefined();
    // At 0.7 times real time 0.8 s of buffer last 2.7 s.
    expect(first).toBeLessThan(2700);
  });

  it("leaves a network that keeps up alone", () => {
    expect(steps(1, 60)).toEqual([]);
    expect(steps(1.5, 60)).toEqual([]);
  });

  it("ignores a hiccup", () => {
    const guard = new LadderGuard();
    expect(guard.shouldStepDown({ ...READING, now: 0, backlog: 2, bufferAhead: 0.2 })).toBe(false);
    expect(guard.shouldStepDown({ ...READING, now: 250 })).toBe(false);
    expect(guard.shouldStepDown({ ...READING, now: 500, backlog: 2, bufferAhead: 0.2 })).toBe(false);
  });

  it("does not mistake an encoder that paused for a slow network: nothing is left to fetch then", () => {
    const guard = new LadderGuard();
    for (let now = 0; now < 10_000; now += 250) {
      expect(guard.shouldStepDown({ ...READING, now, backlog: 0, bufferAhead: 0 })).toBe(false);
    }
  });

  it("does not mistake fetching the past after a seek for a slow network while the buffer is good", () => {
    const guard = new LadderGuard();
    for (let now = 0; now < 10_000; now += 250) {
      expect(guard.shouldStepDown({ ...READING, now, backlog: 120, bufferAhead: 3 })).toBe(false);
    }
  });

  it("gives each rendition its time before it steps down again", () => {
    const [first = 0, second = 0] = steps(0.5, 20);
    expect(second - first).toBeGreaterThanOrEqual(3000);
  });
});

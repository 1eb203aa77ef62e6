import { describe, expect, it } from "vitest";
import { LatencyController, type LatencyReading } from "./latency-controller.ts";

const READING: LatencyReading = {
  now: 0,
  latency: 1,
  holdBack: 1,
  partTarget: 0.333,
  bufferAhead: 0.8,
  following: true,
};

/** Plays for `seconds` against a live edge that moves at speed 1, and reports how it went. */
function play(controller: LatencyController, latency: number, seconds: number, from = 0) {
  const rates: number[] = [];
  let jumps = 0;
  let target = 0;
  for (let now = from; now < from + seconds * 1000; now += 250) {
    const decision = controller.update({ ...READING, now, latency, bufferAhead: Math.max(0, latency - 0.2) });
    target = decision.target;
    if (decision.jump) {
      jumps++;
      latency = decision.target;
    }
    rates.push(decision.rate);
    latency += (1 - decision.rate) * 0.25;
  }
  return { latency, rates, jumps, target };
}

describe("latency controller (PLY1, DLV5)", () => {
  it("leaves the rate alone on target", () => {
    expect(play(new LatencyController(), 1.05, 20).rates.every((rate) => rate === 1)).toBe(true);
  });

  it("catches up gently, within 8 %, and stops at the target without overshooting", () => {
    const { latency, rates, jumps } = play(new LatencyController(), 2.5, 90);
    expect(jumps).toBe(0);
    expect(Math.max(...rates)).toBeLessThanOrEqual(1.08);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(1);
    expect(latency).toBeGreaterThan(0.95);
    expect(latency).toBeLessThan(1.1);
  });

  it("lets a thin cushion grow by playing slightly slower", () => {
    const { latency, rates } = play(new LatencyController(), 0.5, 60);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.96);
    expect(latency).toBeGreaterThan(0.88);
  });

  it("does not jump while catching up is possible, and jumps when far behind", () => {
    expect(play(new LatencyController(), 7.5, 1).jumps).toBe(0);
    const far = play(new LatencyController(), 8.5, 1);
    expect(far.jumps).toBe(1);
    expect(far.latency).toBeCloseTo(1, 1);
  });

  it("jumps when the page slept, although it is only some seconds behind", () => {
    const controller = new LatencyController();
    controller.update(READING);
    expect(controller.update({ ...READING, now: 250, latency: 4 }).jump).toBe(false);
    expect(controller.update({ ...READING, now: 60_000, latency: 4 }).jump).toBe(true);
  });

  it("never touches the past that a viewer watches on purpose", () => {
    const decision = new LatencyController().update({ ...READING, latency: 300, following: false });
    expect(decision).toMatchObject({ rate: 1, jump: false });
  });

  it("does not eat the last part to catch up", () => {
    expect(new LatencyController().update({ ...READING, latency: 3, bufferAhead: 0.2 }).rate).toBe(1);
  });

  it("halts after running dry until there is a cushion", () => {
    const controller = new LatencyController();
    controller.ranDry(0);
    expect(controller.update({ ...READING, now: 250, bufferAhead: 0.1 }).rate).toBe(0);
    controller.resumed(400);
    expect(controller.update({ ...READING, now: 500, bufferAhead: 0.4 }).rate).toBe(0);
    expect(controller.update({ ...READING, now: 750, bufferAhead: 0.9 }).rate).toBeGreaterThan(0);
  });

  it("plays what it has when the cushion does not come", () => {
    const controller = new LatencyController();
    controller.ranDry(0);
    expect(controller.update({ ...READING, now: 250, bufferAhead: 0.35 }).rate).toBe(0);
    expect(controller.update({ ...READING, now: 3250, bufferAhead: 0.35 }).rate).toBeGreaterThan(0);
  });

  it("widens the target after a stall and narrows it again in calm", () => {
    const controller = new LatencyController();
    controller.ranDry(0);
    controller.resumed(500);
    expect(play(controller, 1.4, 5, 1000).target).toBeCloseTo(1.4, 5);
    expect(play(controller, 1.4, 10, 6000).target).toBeCloseTo(1.4, 5);
    expect(play(controller, 1.4, 60, 21_000).target).toBe(1);
  });

  it("widens by stalls no further than 3 s", () => {
    const controller = new LatencyController();
    for (let stall = 0; stall < 20; stall++) {
      controller.ranDry(stall * 1000);
      controller.resumed(stall * 1000 + 500);
    }
    expect(controller.stallMargin).toBe(3);
  });

  it("does not blame the viewer's network for an encoder that was gone", () => {
    const controller = new LatencyController();
    controller.ranDry(0);
    controller.resumed(12_000);
    expect(controller.stallMargin).toBe(0);
  });

  it("holds the hold-back of a playlist without parts", () => {
    const decision = new LatencyController().update({ ...READING, latency: 6, holdBack: 6, partTarget: null });
    expect(decision).toMatchObject({ rate: 1, target: 6, jump: false });
  });
});

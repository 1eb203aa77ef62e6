import { describe, expect, it } from "vitest";
import { Compressor } from "./compressor.ts";
import { Gate } from "./gate.ts";
import { Limiter } from "./limiter.ts";
import { joined, largestDifference, noise, peakBetween, rmsBetween, through, tone } from "./testing/tone.ts";

describe("limiter", () => {
  it("lets nothing exceed its ceiling, be it noise, a click out of silence or a square wave (STU2)", () => {
    const click = new Float32Array(4800);
    click[2000] = 4;
    click[2001] = -4;
    const square = tone(60, 12, 0.5).map((sample) => Math.sign(sample) * 3);
    for (const sound of [noise(12, 1), click, square, tone(10, 20, 1)]) {
      for (const ceiling of [-0, -1, -12]) {
        const limiter = new Limiter({ ceiling, release: 50 });
        const [left] = through(
          limiter,
          sound,
          sound.map((sample) => -sample),
        );
        expect(peakBetween(left, 0, 2)).toBeLessThanOrEqual(ceiling + 1e-5);
      }
    }
  });

  it("changes nothing below its ceiling but the time, and turns down before a peak, not at it (STU2)", () => {
    const limiter = new Limiter({ ceiling: -6, release: 100 });
    const soft = noise(-10, 0.5);
    const [left, right] = through(limiter, soft, tone(440, -20, 0.5));
    expect(largestDifference(left.subarray(limiter.latency), soft)).toBe(0);
    expect(largestDifference(right.subarray(limiter.latency), tone(440, -20, 0.5))).toBe(0);
    expect(limiter.reductionDb).toBe(0);

    const steps = new Float32Array(4800).fill(0.25);
    steps.fill(1, 2400, 2401);
    const [out] = through(new Limiter({ ceiling: -6.0206, release: 100 }), steps);
    const gains = out.map((sample, i) => sample / (steps[Math.max(0, i - limiter.latency)] as number));
    const peakAt = 2400 + limiter.latency;
    expect(gains[peakAt]).toBeCloseTo(0.5, 4);
    // Never more than a straight line over the look-ahead would ask: no click.
    for (let i = 240; i < 4800; i += 1) {
      expect(Math.abs((gains[i] as number) - (gains[i - 1] as number))).toBeLessThan(0.5 / 200);
    }
    expect(gains[2300]).toBe(1);
  });

  it("comes back after a peak at the pace of its release (STU2)", () => {
    const limiter = new Limiter({ ceiling: -12, release: 200 });
    const [left] = through(limiter, joined(tone(1000, 0, 0.5), tone(1000, -20, 1.5)));
    expect(peakBetween(left, 0.2, 0.5)).toBeCloseTo(-12, 1);
    expect(peakBetween(left, 0.52, 0.54)).toBeLessThan(-28);
    expect(peakBetween(left, 1.8, 2)).toBeCloseTo(-20, 1);
  });
});

describe("compressor", () => {
  const settings = { threshold: -30, ratio: 4, knee: 0, attack: 5, release: 100, makeup: 0 };

  it("turns what is 20 dB over its threshold down to 5 at 4:1, leaves what is below, and adds its makeup (STU2)", () => {
    const [loud] = through(new Compressor(settings), tone(1000, -10, 1));
    expect(peakBetween(loud, 0.5, 1)).toBeCloseTo(-25, 1);
    const [soft] = through(new Compressor(settings), tone(1000, -40, 1));
    expect(peakBetween(soft, 0.5, 1)).toBeCloseTo(-40, 3);
    const [made] = through(new Compressor({ ...settings, makeup: 10 }), tone(1000, -10, 1));
    expect(peakBetween(made, 0.5, 1)).toBeCloseTo(-15, 1);
  });

  it("sets in gently about the threshold where it has a knee (STU2)", () => {
    const [at] = through(new Compressor({ ...settings, knee: 12 }), tone(1000, -30, 1));
    // Half the knee over its lower end: slope × (6 dB)² / (2 × 12 dB).
    expect(peakBetween(at, 0.5, 1)).toBeCloseTo(-30 - (0.75 * 36) / 24, 1);
  });

  it("takes its attack to turn down and its release to come back, and keeps a low voice whole (STU2)", () => {
    const compressor = new Compressor({ ...settings, attack: 50, release: 200 });
    const [left, right] = through(compressor, joined(tone(1000, -10, 1), tone(1000, -40, 1)), tone(1000, -60, 2));
    expect(peakBetween(left, 0, 0.01)).toBeGreaterThan(-13);
    // 1 − 1/e of 15 dB after a time constant.
    expect(peakBetween(left, 0.049, 0.052)).toBeCloseTo(-10 - 15 * (1 - 1 / Math.E), 0);
    expect(peakBetween(left, 1.02, 1.03)).toBeLessThan(-52);
    expect(peakBetween(left, 1.98, 2)).toBeCloseTo(-40, 0);
    // The quiet channel goes down with the loud one, so that the image stays.
    expect(peakBetween(right, 0.9, 1)).toBeCloseTo(-75, 0);
    const [low] = through(new Compressor(settings), tone(80, -10, 1));
    expect(rmsBetween(low, 0.5, 1) - (peakBetween(low, 0.5, 1) - 3.01)).toBeCloseTo(0, 1);
  });
});

describe("gate", () => {
  const settings = { open_at: -30, close_at: -40, attack: 5, hold: 100, release: 50 };

  it("is shut until something loud comes, and then lets soft sound through down to where it closes (STU2)", () => {
    const gate = new Gate(settings);
    const [left] = through(
      gate,
      joined(tone(200, -35, 0.5), tone(200, -20, 0.5), tone(200, -35, 1), tone(200, -50, 1)),
    );
    expect(peakBetween(left, 0, 0.5)).toBe(-Infinity);
    expect(peakBetween(left, 0.6, 1)).toBeCloseTo(-20, 1);
    expect(peakBetween(left, 1.2, 2)).toBeCloseTo(-35, 1);
    // 10 ms of peak, 100 of hold and 50 of release.
    expect(peakBetween(left, 2.02, 2.1)).toBeCloseTo(-50, 1);
    expect(peakBetween(left, 2.2, 3)).toBe(-Infinity);
    expect(gate.reductionDb).toBe(120);
  });

  it("opens within its attack, and does not flutter where it would close above where it opens (STU2)", () => {
    const [left] = through(new Gate({ ...settings, close_at: -10 }), tone(200, -20, 1));
    expect(peakBetween(left, 0.01, 1)).toBeCloseTo(-20, 1);
    expect(rmsBetween(left, 0.02, 1)).toBeCloseTo(-23.01, 1);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClockOffset } from "./clock-offset.ts";

describe("clock offset", () => {
  it("takes a device's clock as right as long as the answers allow it", () => {
    const clock = new ClockOffset();
    expect(clock.uncertainty).toBe(Number.POSITIVE_INFINITY);
    clock.observe(10_000, 10_400, 10_450);
    expect(clock.offset).toBe(0);
  });

  it("learns the offset to a fraction of a second from whole-second headers", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), fc.infiniteStream(fc.nat(2999)), (truth, phases) => {
        const clock = new ClockOffset();
        let device = 1_000_000;
        for (let answer = 0; answer < 60; answer++) {
          device += 3000 + (phases.next().value ?? 0);
          const server = device + 15 + truth;
          clock.observe(Math.floor(server / 1000) * 1000, device, device + 30);
        }
        const known = clock.uncertainty;
        // Zero is preferred, so the error can reach the width of what is possible.
        expect(Math.abs(clock.offset - truth)).toBeLessThanOrEqual(known);
        expect(known).toBeLessThan(1060);
      }),
    );
  });

  it("begins anew when a clock was set", () => {
    const clock = new ClockOffset();
    clock.observe(10_000, 10_100, 10_200);
    clock.observe(500_000, 20_100, 20_200);
    expect(clock.offset).toBeCloseTo(500_000 + 500 - 20_150, -3);
  });

  it("ignores an answer without a date", () => {
    const clock = new ClockOffset();
    clock.observe(Number.NaN, 0, 1);
    expect(clock.uncertainty).toBe(Number.POSITIVE_INFINITY);
  });

  it("tells a latency only when it can be told", () => {
    const clock = new ClockOffset();
    expect(clock.secondsSince(9000, 10_000)).toBe(1);
    expect(clock.secondsSince(11_000, 10_000)).toBeNull();
    clock.observe(60_000, 10_000, 10_050);
    expect(clock.secondsSince(59_000, 10_000)).toBeNull();
  });
});

import { expect, test } from "vitest";
import { PlayoutClock } from "./playout-clock.ts";

test("ING2: a packet is due latency after it was sent, seen through the handshake's delay and the wrap", () => {
  const clock = new PlayoutClock(0xffff_ff00, 1_000_000, 120_000);
  expect(clock.dueAt(0xffff_ff00, 1_000_000)).toBe(1_120_000);
  // 0x200 µs later, past the wrap; it took 50 ms longer than the handshake.
  expect(clock.dueAt(0x100, 1_050_512)).toBe(1_120_512);
  expect(clock.implausible).toBe(0);
});

test("ING2: a bogus timestamp neither holds the stream up nor empties it", () => {
  const clock = new PlayoutClock(0, 0, 120_000);
  expect(clock.dueAt(0x4000_0000, 1_000_000)).toBe(1_120_000);
  expect(clock.implausible).toBe(1);
});

test("ING2: drift of 100 ppm is followed", () => {
  const clock = new PlayoutClock(0, 0, 120_000);
  const minutes = 10;
  for (let now = 0; now < minutes * 60e6; now += 10_000) clock.driftSample(Math.floor(now * 0.9999) >>> 0, now, 20_000);
  const now = minutes * 60e6;
  const due = clock.dueAt(Math.floor(now * 0.9999) >>> 0, now);
  expect(Math.abs(due - (now + 120_000))).toBeLessThan(3000);
  expect(clock.driftMicros).toBeGreaterThan(50_000);
});

test("ING2: a growing round trip is not taken for drift", () => {
  const clock = new PlayoutClock(0, 0, 120_000);
  for (let now = 0; now < 60e6; now += 10_000) {
    const rtt = now < 30e6 ? 20_000 : 60_000;
    clock.driftSample((now - (rtt - 20_000) / 2) >>> 0, now, rtt);
  }
  expect(Math.abs(clock.driftMicros)).toBeLessThan(2000);
});

import { ManualClock } from "@klieg/base";
import { expect, it } from "vitest";
import { picture, sound } from "../testing/tracks.ts";
import { FeedPacer } from "./feed-pacer.ts";

/** @param ahead by how much the encoder's clock is ahead of ours, ms. */
function setUp(ahead = 0) {
  const clock = new ManualClock();
  clock.advance(100_000);
  const sent: { kind: string; at: number; pts: number }[] = [];
  const pacer = new FeedPacer({
    clock,
    position: () => clock.now() * 90,
    send: (kind, { pts }) => sent.push({ kind, at: clock.now(), pts: pts / 90 - ahead }),
  });
  /** Pictures as they are made, and sound in one piece every so often. @param soundEveryMs 0: none. */
  const run = (ms: number, soundEveryMs: number) => {
    const end = clock.now() + ms;
    while (clock.now() < end) {
      const now = clock.now();
      if (now % 40 === 0) pacer.push("video", picture((now + ahead) * 90));
      if (soundEveryMs > 0 && now % soundEveryMs === 0) {
        for (let at = now - soundEveryMs; at < now; at += 20) pacer.push("audio", sound((at + ahead) * 90));
      }
      clock.advance(20);
    }
    return sent.splice(0);
  };
  const delays = (units: typeof sent, kind: string) =>
    units.flatMap((unit) => (unit.kind === kind ? [unit.at - unit.pts] : []));
  return { pacer, clock, run, delays, sent };
}

it("RTC3: sends a picture when the sound that belongs to it has come, and sound evenly", () => {
  const { run, delays } = setUp();
  run(2000, 320);
  const units = run(4000, 320);
  expect(new Set(delays(units, "video"))).toEqual(new Set([320]));
  // The timer of what is due at once is the clock's next step.
  for (const delay of delays(units, "audio")) expect([320, 340]).toContain(delay);
  expect(units.filter(({ kind }) => kind === "audio")).toHaveLength(200);
});

it("goes by how the two come, whatever the encoder's clock says", () => {
  for (const ahead of [60_000, -60_000]) {
    const { run, delays, pacer } = setUp(ahead);
    run(2000, 320);
    expect(new Set(delays(run(2000, 320), "video"))).toEqual(new Set([320]));
    expect(pacer.aheadMs).toBe(Math.max(0, ahead));
  }
});

it("sends what comes alone as it comes, from the beginning and when the other has stopped", () => {
  const { run, delays } = setUp();
  expect(new Set(delays(run(2000, 0), "video"))).toEqual(new Set([0]));
  run(3000, 320);
  run(4000, 0);
  expect(new Set(delays(run(1000, 0), "video"))).toEqual(new Set([0]));
});

it("keeps nobody waiting for more than half a second", () => {
  const { run, delays } = setUp();
  run(4000, 2000);
  const units = run(4000, 2000);
  expect(Math.max(...delays(units, "video"))).toBe(500);
  expect(units.filter(({ kind }) => kind === "audio")).toHaveLength(200);
});

it("is not held up by what comes late once", () => {
  const { run, delays, pacer, clock } = setUp();
  run(4000, 20);
  pacer.push("audio", sound((clock.now() - 450) * 90));
  expect(Math.max(...delays(run(3000, 20), "video"))).toBeLessThanOrEqual(20);
});

it("is not held up by what comes late when something begins", () => {
  const { run, delays, pacer, clock } = setUp();
  run(1000, 20);
  pacer.begin("audio");
  pacer.push("audio", sound((clock.now() - 450) * 90));
  expect(Math.max(...delays(run(1000, 20), "video"))).toBeLessThanOrEqual(20);
});

it("lets go of what it holds when it is disposed", () => {
  const { pacer, run, clock, sent } = setUp();
  run(2000, 320);
  pacer[Symbol.dispose]();
  clock.advance(2000);
  expect(sent).toEqual([]);
  expect(clock.pending).toBe(0);
});

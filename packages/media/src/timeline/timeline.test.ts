import { ManualClock } from "@klieg/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessUnit, Track } from "../access-unit.ts";
import { MPEGTS_WRAP_TICKS, RTMP_WRAP_TICKS, Timeline } from "./timeline.ts";

const config = new Uint8Array(0);
const video: Track = {
  kind: "video",
  id: 0,
  codec: "h264",
  config,
  codecString: "avc1.64001f",
  width: 1,
  height: 1,
  frameRate: undefined,
  profile: undefined,
};
const audio: Track = {
  kind: "audio",
  id: 0,
  codec: "aac",
  config,
  codecString: "mp4a.40.2",
  sampleRate: 48000,
  channels: 2,
};
const FRAME = 3000;

function unit(track: Track, dts: number, delay = 0): AccessUnit {
  return { track, dts, pts: dts + delay, keyframe: true, data: config };
}

/** A timeline with its clock, and the units that came out of it. */
function setUp(wrapTicks?: number) {
  const clock = new ManualClock();
  const timeline = new Timeline(clock, { wrapTicks });
  const out: AccessUnit[] = [];
  const push = (track: Track, dts: number, delay = 0) => {
    const mapped = timeline.map(unit(track, dts, delay));
    out.push(mapped);
    return mapped;
  };
  return { clock, timeline, out, push };
}

describe("continuous input", () => {
  test("comes out tick for tick, whatever its start and the jitter of its arrival (ING1)", () => {
    const steps = fc.array(
      fc.record({ ticks: fc.integer({ min: 1, max: 90_000 }), ms: fc.integer({ min: 0, max: 900 }) }),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), steps, (start, moves) => {
        const { clock, timeline, push } = setUp();
        let dts = start;
        const first = push(video, dts).dts;
        for (const { ticks, ms } of moves) {
          clock.advance(ms);
          dts += ticks;
          expect(push(video, dts).dts - first).toBe(dts - start);
        }
        // Only a stretch that outruns the wall clock by 3 s between two frames is a jump, and none is here.
        expect(timeline.counts).toEqual({ clamped: 0, presentationMended: 0, jumps: 0 });
      }),
    );
  });

  test("two hours with a source clock 200 ppm fast neither drift nor jump", () => {
    const { clock, timeline, push } = setUp();
    let last = push(video, 0).dts - FRAME;
    for (let i = 0; i < 2 * 3600 * 30; i += 1) {
      const { dts, discontinuity } = push(video, i * FRAME + FRAME);
      if (dts - last !== FRAME && i > 0) expect.fail(`step of ${dts - last} at ${i}`);
      if (discontinuity === true) expect.fail(`discontinuity at ${i}`);
      last = dts;
      clock.advance((1000 / 30) * 0.9998);
    }
    expect(timeline.counts).toEqual({ clamped: 0, presentationMended: 0, jumps: 0 });
  });

  test("a source faster than real time is not a jumping one", () => {
    const { timeline, push } = setUp();
    for (let i = 0; i < 3000; i += 1) push(video, i * FRAME);
    expect(timeline.counts.jumps).toBe(0);
  });

  test("a stall of the network, and frames dropped during it, are not a jump", () => {
    const { clock, timeline, out, push } = setUp();
    for (let i = 0; i < 30; i += 1) {
      push(video, i * FRAME);
      clock.advance(33);
    }
    clock.advance(6000);
    push(video, 30 * FRAME);
    push(video, 30 * FRAME + 6 * 90_000);
    expect(timeline.counts.jumps).toBe(0);
    expect((out.at(-1) as AccessUnit).dts - (out.at(-2) as AccessUnit).dts).toBe(6 * 90_000);
  });

  test("time stamps that wrap come out as if they did not", () => {
    for (const wrap of [RTMP_WRAP_TICKS, MPEGTS_WRAP_TICKS]) {
      const { clock, timeline, push } = setUp(wrap);
      const start = wrap - 10 * FRAME;
      const first = push(video, start).dts;
      for (let i = 1; i < 40; i += 1) {
        clock.advance(33);
        const raw = start + i * FRAME;
        const delay = 2 * FRAME;
        const mapped = timeline.map({ ...unit(video, raw % wrap), pts: (raw + delay) % wrap });
        expect(mapped.dts - first).toBe(i * FRAME);
        expect(mapped.pts - mapped.dts).toBe(delay);
        if (i % 2 === 0) expect(push(audio, (raw + 77) % wrap).dts - first).toBe(i * FRAME + 77);
      }
      expect(timeline.counts.jumps).toBe(0);
    }
  });
});

describe("tracks", () => {
  test("that start apart keep their distance", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -9 * 90_000, max: 9 * 90_000 }),
        fc.integer({ min: 0, max: 5000 }),
        (distance, ms) => {
          const { clock, push } = setUp();
          const start = 50 * 90_000;
          const first = push(video, start).dts;
          clock.advance(ms);
          const second = push(audio, start + distance).dts;
          expect(second - first).toBe(distance);
          expect(second).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  test("with zeros of their own are each put at the wall clock's position, without a discontinuity", () => {
    const { clock, timeline, push } = setUp();
    const first = push(video, 1_000_000_000).dts;
    for (let i = 1; i < 100; i += 1) {
      clock.advance(20);
      const sound = push(audio, i * 1800);
      const picture = push(video, 1_000_000_000 + i * 1800);
      expect(sound.dts - picture.dts).toBe(0);
      expect(picture.dts - first).toBe(i * 1800);
      expect(sound.discontinuity ?? picture.discontinuity).toBeUndefined();
    }
    expect(timeline.counts.jumps).toBe(0);
  });

  test("a change of configuration does not break the timeline", () => {
    const { push } = setUp();
    const first = push(video, 0).dts;
    expect(push({ ...video, codecString: "avc1.640028" } as Track, FRAME).dts - first).toBe(FRAME);
  });
});

describe("mending", () => {
  test("dts never runs backwards, pts never precedes dts, nothing is negative, whatever comes", () => {
    const step = fc.record({
      sound: fc.boolean(),
      dts: fc.oneof(fc.integer({ min: 0, max: 2 ** 33 - 1 }), fc.integer({ min: 0, max: 200_000 }), fc.constant(0)),
      delay: fc.integer({ min: -(2 ** 24), max: 2 ** 24 }),
      ms: fc.integer({ min: 0, max: 4000 }),
      rebase: fc.integer({ min: 0, max: 20 }),
    });
    const wraps = fc.constantFrom(undefined, MPEGTS_WRAP_TICKS, RTMP_WRAP_TICKS);
    fc.assert(
      fc.property(wraps, fc.array(step, { maxLength: 80 }), (wrap, steps) => {
        const { clock, timeline, push } = setUp(wrap);
        const last = new Map<Track, number>();
        for (const { sound, dts, delay, ms, rebase } of steps) {
          clock.advance(ms);
          if (rebase === 0) timeline.rebase();
          const track = sound ? audio : video;
          const mapped = push(track, dts, delay);
          expect(Number.isInteger(mapped.dts) && Number.isInteger(mapped.pts)).toBe(true);
          expect(mapped.dts).toBeGreaterThanOrEqual(0);
          expect(mapped.pts).toBeGreaterThanOrEqual(mapped.dts);
          expect(mapped.dts).toBeGreaterThan(last.get(track) ?? -1);
          last.set(track, mapped.dts);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("small backward steps cost a tick each and are counted", () => {
    const { clock, timeline, push } = setUp();
    const at = [0, 3000, 2900, 6000].map((dts) => {
      clock.advance(33);
      return push(video, dts, 6000);
    });
    expect(at.map((u) => u.dts - (at[0] as AccessUnit).dts)).toEqual([0, 3000, 3001, 6000]);
    expect(at.map((u) => u.pts - u.dts)).toEqual([6000, 6000, 6000, 6000]);
    expect(timeline.counts).toEqual({ clamped: 1, presentationMended: 0, jumps: 0 });
  });

  test("many units with one time stamp are not a jump", () => {
    const { clock, timeline, push } = setUp();
    for (let i = 0; i < 20; i += 1) {
      clock.advance(300);
      for (let n = 0; n < 14; n += 1) push(audio, i * 27_000);
    }
    expect(timeline.counts).toEqual({ clamped: 20 * 13, presentationMended: 0, jumps: 0 });
  });

  test("a clock set back by less than a second is a jump after a few frames", () => {
    const { clock, timeline, out, push } = setUp();
    for (let i = 0; i < 60; i += 1) {
      clock.advance(33);
      push(video, 90_000 + i * FRAME - (i >= 30 ? 72_000 : 0));
    }
    expect(timeline.counts.jumps).toBe(1);
    expect(timeline.counts.clamped).toBe(10);
    expect(out.filter((u) => u.discontinuity === true)).toHaveLength(1);
  });
});

describe("jumps (ING1, PKG4)", () => {
  for (const [name, jump] of [
    ["forward", 1_000_000],
    ["forward by hours", 90_000 * 7200],
    ["backward", -400_000],
  ] as const) {
    test(`${name}: media goes on at the wall clock, tracks stay in step, each is told once`, () => {
      const { clock, timeline, out, push } = setUp(RTMP_WRAP_TICKS);
      const start = 90_000 * 60;
      for (let i = 0; i < 200; i += 1) {
        clock.advance(1000 / 30);
        push(video, start + i * FRAME + (i >= 100 ? jump : 0));
        // Sound is interleaved late: it jumps six frames after the picture does.
        push(audio, start + i * FRAME - 18_000 + (i >= 106 ? jump : 0));
      }
      const wall = timeline.position as number;
      const [picture, sound] = out.slice(-2) as [AccessUnit, AccessUnit];
      expect(picture.dts - sound.dts).toBe(18_000);
      expect(Math.abs(wall - picture.dts)).toBeLessThan(0.5 * 90_000);
      expect(timeline.counts).toEqual({ clamped: 0, presentationMended: 0, jumps: 1 });
      const told = out.flatMap((u, i) => (u.discontinuity === true ? [[u.track.kind, i >> 1]] : []));
      expect(told).toEqual([
        ["video", 100],
        ["audio", 106],
      ]);
    });
  }

  test("of one track alone: the other goes on as it was, and is told of the discontinuity in time", () => {
    const { clock, timeline, out, push } = setUp();
    const first = push(audio, 0).dts;
    for (let i = 1; i < 400; i += 1) {
      clock.advance(1000 / 30);
      push(video, i * FRAME + (i >= 100 ? 9_000_000 : 0));
      expect(push(audio, i * FRAME).dts - first).toBe(i * FRAME);
    }
    expect(timeline.counts.jumps).toBe(1);
    const told = out.filter((u) => u.discontinuity === true).map((u) => u.track.kind);
    expect(told).toEqual(["video", "audio"]);
  });
});

describe("a new source (ING5)", () => {
  test("goes on at the wall clock's position, after what was, marked once for each track", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 }), fc.integer({ min: 0, max: 30_000 }), (start, awayMs) => {
        const { clock, timeline, out, push } = setUp();
        for (let i = 0; i < 30; i += 1) {
          push(video, i * FRAME);
          push(audio, i * FRAME);
          clock.advance(33);
        }
        const before = (out.at(-1) as AccessUnit).dts;
        clock.advance(awayMs);
        timeline.rebase({ wrapTicks: MPEGTS_WRAP_TICKS });
        const wall = timeline.position as number;
        const picture = push(video, start, 6000);
        const sound = push(audio, start - 900);
        expect(picture.dts).toBe(Math.max(wall, before + 18_000));
        expect(sound.dts).toBe(picture.dts - 900);
        expect(picture.pts - picture.dts).toBe(6000);
        expect([picture.discontinuity, sound.discontinuity]).toEqual([true, true]);
        expect(push(video, start + FRAME).discontinuity).toBeUndefined();
        expect(timeline.counts).toEqual({ clamped: 0, presentationMended: 0, jumps: 0 });
      }),
    );
  });

  test("with a track that the old one lacked: that one has no discontinuity", () => {
    const { clock, timeline, push } = setUp();
    push(video, 0);
    clock.advance(1000);
    timeline.rebase();
    expect(push(video, 5).discontinuity).toBe(true);
    expect(push(audio, 5).discontinuity).toBeUndefined();
  });
});

test("positions are anchored to the wall clock", () => {
  const { clock, timeline, push } = setUp();
  expect(timeline.wallAt(0)).toBeUndefined();
  expect(timeline.position).toBeUndefined();
  clock.advance(1234);
  const wall = clock.wall();
  const { dts } = push(video, 777);
  expect(timeline.wallAt(dts)).toBe(wall);
  expect(timeline.wallAt(dts + 90_000)).toBe(wall + 1000);
  clock.advance(500);
  expect(timeline.position).toBe(dts + 45_000);
});

import type { AccessUnit, AudioTrack, VideoTrack } from "@klieg/media";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecentMedia } from "./recent-media.ts";

const video = { kind: "video", id: 0 } as VideoTrack;
const audio = { kind: "audio", id: 0 } as AudioTrack;

function unit(track: VideoTrack | AudioTrack, dts: number, keyframe: boolean, bytes = 10): AccessUnit {
  return { track, dts, pts: dts, keyframe, data: new Uint8Array(bytes) };
}

describe("TRN6: what a restarted FFmpeg begins with", () => {
  test("it begins with a keyframe, and forgets whole GOPs once they are made", () => {
    const recent = new RecentMedia(true);
    recent.push(unit(audio, 0, true));
    recent.push(unit(video, 1, false));
    expect(recent.units).toEqual([]);
    for (let dts = 10; dts < 100; dts += 10) recent.push(unit(video, dts, dts % 30 === 10));
    expect(recent.keyframes.map(({ dts }) => dts)).toEqual([10, 40, 70]);
    recent.forgetBefore(39);
    expect(recent.units[0]?.dts).toBe(10);
    recent.forgetBefore(65);
    expect(recent.units[0]?.dts).toBe(40);
    expect(recent.after(39, 100)[0]?.dts).toBe(40);
    expect(recent.after(40, 100).map(({ dts }) => dts)).toEqual([70, 80, 90]);
    expect(recent.after(0, 30)[0]?.dts).toBe(70);
    expect(recent.after(0, 5)[0]?.dts).toBe(70);
    expect(recent.after(70, 100)).toEqual([]);
  });

  test("of a GOP too long to hold it forgets everything, and begins with the next", () => {
    const recent = new RecentMedia(true, { bytes: 1e6, ticks: 100 });
    recent.push(unit(video, 0, true));
    for (let dts = 10; dts <= 110; dts += 10) recent.push(unit(video, dts, false));
    expect(recent.units).toEqual([]);
    recent.push(unit(video, 120, true));
    expect(recent.units.length).toBe(1);
  });

  test("whatever comes: bounded, in order, from a keyframe on, and its count of bytes is right", () => {
    const arrivals = fc.array(
      fc.record({
        step: fc.integer({ min: 0, max: 40 }),
        kind: fc.constantFrom("video", "audio"),
        key: fc.boolean(),
        bytes: fc.integer({ min: 0, max: 50 }),
        made: fc.boolean(),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(arrivals, fc.boolean(), (units, hasVideo) => {
        const recent = new RecentMedia(hasVideo, { bytes: 500, ticks: 300 });
        let dts = 0;
        for (const { step, kind, key, bytes, made } of units) {
          dts += step;
          recent.push(kind === "video" ? unit(video, dts, key, bytes) : unit(audio, dts, true, bytes));
          if (made) recent.forgetBefore(dts - 50);
          const held = recent.units;
          expect(recent.bytes).toBe(held.reduce((sum, { data }) => sum + data.byteLength, 0));
          expect(recent.bytes).toBeLessThanOrEqual(500);
          const first = held[0];
          if (first === undefined) continue;
          expect(dts - first.dts).toBeLessThanOrEqual(300);
          if (!hasVideo) continue;
          expect(first.track.kind === "video" && first.keyframe).toBe(true);
          expect(recent.keyframes).toEqual(held.filter(({ track, keyframe }) => track.kind === "video" && keyframe));
        }
      }),
    );
  });
});

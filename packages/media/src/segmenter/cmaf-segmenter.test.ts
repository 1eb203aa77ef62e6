import { describe, expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import type { Boundary } from "./boundary.ts";
import { CmafSegmenter, type CmafSegmenterOptions } from "./cmaf-segmenter.ts";
import { SegmentRecorder } from "./testing/segment-recorder.ts";
import { aacTrackAt, audioUnits, videoTrack, videoUnits } from "./testing/synthetic-track.ts";

const OPTIONS = { targetDuration: 4, partTarget: 0.334 };

function make(options: Partial<CmafSegmenterOptions> = {}) {
  const recorder = new SegmentRecorder(4, 0.334);
  return { recorder, segmenter: new CmafSegmenter({ ...OPTIONS, ...options }, recorder) };
}

function pushAll(segmenter: CmafSegmenter, units: readonly AccessUnit[]): void {
  for (const unit of units) segmenter.push(unit);
}

function boundaryAt(index: number, ticks: number, previousDurationTicks = 180_000): Boundary {
  return { index, ticks, discontinuity: false, discontinuitySequence: 0, previousDurationTicks };
}

/** Two-second GOPs at 30 frames a second. */
const steady = (frames: number, startTicks = 0) =>
  videoUnits({ track: videoTrack(), frames, frameRate: 30, gop: 60, startTicks });

describe("PKG1 segmenter as leader", () => {
  test("a part is handed on with the first frame after it, a segment with the next keyframe", () => {
    const { recorder, segmenter } = make({ leads: true });
    const units = steady(61);
    pushAll(segmenter, units.slice(0, 10));
    expect(recorder.segments[0]?.parts).toHaveLength(0);
    segmenter.push(units[10] as AccessUnit);
    expect(recorder.segments[0]?.parts.map((part) => part.durationTicks)).toEqual([30_000]);
    pushAll(segmenter, units.slice(11, 60));
    expect(recorder.segments).toHaveLength(1);
    segmenter.push(units[60] as AccessUnit);
    expect(recorder.segments.map((segment) => [segment.boundary.ticks, segment.durationTicks])).toEqual([
      [0, 180_000],
      [180_000, 0],
    ]);
    expect(recorder.boundaries).toEqual([boundaryAt(0, 0, 0), boundaryAt(1, 180_000, 180_000)]);
  });

  test("nothing begins before a keyframe", () => {
    const { recorder, segmenter } = make({ leads: true });
    pushAll(segmenter, steady(130).slice(7));
    expect(segmenter.stats.awaitingKeyframe).toBe(53);
    expect(recorder.segments[0]?.boundary.ticks).toBe(180_000);
  });

  test("PKG4: another configuration is another init segment and a discontinuity, at once", () => {
    const { recorder, segmenter } = make({ leads: true });
    const later = videoUnits({
      track: { ...videoTrack(0, Uint8Array.of(2)), width: 640, height: 360 },
      frames: 70,
      frameRate: 30,
      gop: 60,
      startTicks: 90_000,
    });
    pushAll(segmenter, steady(30));
    pushAll(segmenter, later);
    segmenter.flush();
    expect(recorder.inits.map((track) => (track.kind === "video" ? track.width : 0))).toEqual([1280, 640]);
    expect(recorder.segments.map(({ boundary, durationTicks }) => [boundary.discontinuity, durationTicks])).toEqual([
      [false, 90_000],
      [true, 180_000],
      [false, 30_000],
    ]);
    const read = recorder.read();
    expect([...read.segments].map(({ map, discontinuitySequence }) => [map, discontinuitySequence])).toEqual([
      ["init-1.mp4", 0],
      ["init-2.mp4", 1],
      ["init-2.mp4", 1],
    ]);
    // The same configuration in another value changes nothing.
    pushAll(segmenter, []);
    expect(recorder.inits).toHaveLength(2);
  });

  test("RTC3: a picture stands until the first one of another configuration, so that there is no hole", () => {
    const { recorder, segmenter } = make({ leads: true });
    const track = { ...videoTrack(0, Uint8Array.of(2)), width: 640, height: 360 };
    pushAll(segmenter, steady(30));
    // 30 frames at 30 a second end at 90 000; the encoder takes 200 ms more to change its size.
    pushAll(segmenter, videoUnits({ track, frames: 70, frameRate: 30, gop: 60, startTicks: 108_000 }));
    segmenter.flush();
    const [first, second] = recorder.segments;
    expect(first?.durationTicks).toBe(108_000);
    expect(second?.boundary).toMatchObject({ ticks: 108_000, discontinuity: true });
  });

  test("PKG4: the same configuration in another track value goes on", () => {
    const { recorder, segmenter } = make({ leads: true });
    pushAll(segmenter, steady(30));
    pushAll(
      segmenter,
      steady(60)
        .slice(30)
        .map((unit) => ({ ...unit, track: videoTrack(0, undefined, 30) })),
    );
    segmenter.flush();
    expect(recorder.inits).toHaveLength(1);
    expect(recorder.segments).toHaveLength(1);
  });

  test("PKG4: a broken timeline is a discontinuity at the next keyframe; what stood before it ends as usual", () => {
    const { recorder, segmenter } = make({ leads: true });
    pushAll(segmenter, steady(45));
    const [first, ...rest] = steady(90, 900_000).slice(5) as [AccessUnit, ...AccessUnit[]];
    pushAll(segmenter, [{ ...first, discontinuity: true }, ...rest]);
    segmenter.flush();
    expect(segmenter.stats.awaitingKeyframe).toBe(55);
    expect(
      recorder.segments.map(({ boundary, durationTicks }) => [boundary.ticks, boundary.discontinuity, durationTicks]),
    ).toEqual([
      [0, false, 135_000],
      [1_080_000, true, 90_000],
    ]);
    expect(recorder.inits).toHaveLength(1);
  });

  test("PKG4: a picture that stands still lasts until the next: no hole in the media, the part target in the playlist", () => {
    const { recorder, segmenter } = make({ leads: true });
    const units = steady(70).map((unit) =>
      unit.dts >= 60_000 ? { ...unit, dts: unit.dts + 99_000, pts: unit.pts + 99_000 } : unit,
    );
    pushAll(segmenter, units);
    segmenter.flush();
    const parts = recorder.segments[0]?.parts ?? [];
    expect(
      parts
        .map(({ baseDecodeTime, durationTicks, mediaTicks }) => [baseDecodeTime, durationTicks, mediaTicks])
        .slice(0, 4),
    ).toEqual([
      [0, 30_000, 30_000],
      [30_000, 27_000, 27_000],
      [57_000, 30_060, 102_000],
      [159_000, 30_000, 30_000],
    ]);
    expect(recorder.samples.map((sample) => sample.decodeTime)).toEqual(units.map((unit) => unit.dts));
    expect(recorder.samples.slice(0, -1).map((sample) => sample.decodeTime + sample.duration)).toEqual(
      units.slice(1).map((unit) => unit.dts),
    );
    // The keyframe is at 279 000: the segment is as long as that, although its parts cannot say so.
    expect(recorder.read().segments.map(({ units: printed }) => printed)).toEqual([310_000, 33_333]);
    expect(recorder.read().segments[0]?.parts.reduce((sum, part) => sum + part.units, 0)).toBe(230_067);
  });

  test("PKG4: one picture a second", () => {
    const { recorder, segmenter } = make({ leads: true });
    pushAll(segmenter, videoUnits({ track: videoTrack(), frames: 20, frameRate: 1, gop: 2 }));
    segmenter.flush();
    expect(recorder.segments.map(({ durationTicks }) => durationTicks)).toEqual(Array(10).fill(180_000));
    expect(recorder.read().segments.every(({ units: printed }) => printed === 200_000)).toBe(true);
  });

  test("PKG4: a picture that outlasts the target duration: the segment says no more than it may", () => {
    const { recorder, segmenter } = make({ leads: true });
    const units = steady(70).map((unit) =>
      unit.dts >= 60_000 ? { ...unit, dts: unit.dts + 900_000, pts: unit.pts + 900_000 } : unit,
    );
    pushAll(segmenter, units);
    segmenter.flush();
    expect(
      recorder.segments.map(({ boundary, start, durationTicks }) => [boundary.ticks, start?.startTicks, durationTicks]),
    ).toEqual([
      [0, 0, 369_000],
      [369_000, undefined, 369_000],
      [738_000, 960_000, 120_000],
      [1_080_000, 1_080_000, 30_000],
    ]);
    expect(recorder.segments.map(({ start }) => start?.independent)).toEqual([true, undefined, false, true]);
    expect(recorder.samples).toHaveLength(70);
  });

  test("sound alone leads in segments of two seconds, within half a frame", () => {
    const { recorder, segmenter } = make({ leads: true });
    pushAll(segmenter, audioUnits({ track: aacTrackAt(44_100), frames: 600 }));
    segmenter.flush();
    const lengths = recorder.segments.slice(0, -1).map((segment) => segment.durationTicks);
    expect(lengths).toHaveLength(6);
    for (const length of lengths) expect(Math.abs(length - 180_000)).toBeLessThanOrEqual(1046);
    expect(recorder.segments.every((segment) => segment.parts.every((part) => part.independent))).toBe(true);
  });

  test("ING5: after a flush the stream goes on with a discontinuity", () => {
    const { recorder, segmenter } = make({ leads: true });
    pushAll(segmenter, steady(30));
    segmenter.flush();
    segmenter.flush();
    expect(recorder.segments.map((segment) => segment.durationTicks)).toEqual([90_000]);
    pushAll(segmenter, steady(30, 400_000));
    segmenter.flush();
    expect(recorder.segments.map(({ boundary }) => [boundary.index, boundary.discontinuity])).toEqual([
      [0, false],
      [1, true],
    ]);
  });

  test("a frame that does not say how long it lasts is dropped and counted", () => {
    const { recorder, segmenter } = make({ leads: true });
    const track = {
      kind: "audio" as const,
      id: 0,
      codec: "opus" as const,
      config: Uint8Array.of(0, 2, 1, 56, 0, 0, 187, 128, 0, 0, 0),
      codecString: "opus",
      sampleRate: 48_000,
      channels: 2,
    };
    // 20 ms CELT packets; one has no bytes, one claims no frames.
    for (const [i, data] of [[0xfc], [0xfc], [], [0xff, 0], [0xfc]].entries()) {
      segmenter.push({ track, dts: i * 1800, pts: i * 1800, keyframe: true, data: Uint8Array.from(data) });
    }
    segmenter.flush();
    expect(segmenter.stats.malformed).toBe(2);
    expect(recorder.samples.map((sample) => [sample.decodeTime, sample.duration])).toEqual([
      [0, 960],
      [960, 960],
      [3840, 960],
    ]);
  });
});

describe("PKG1 segmenter as follower", () => {
  test("begins with the first frame of the first segment that it is told of", () => {
    const { recorder, segmenter } = make();
    pushAll(segmenter, audioUnits({ track: aacTrackAt(48_000), frames: 40 }));
    expect(recorder.segments).toHaveLength(0);
    segmenter.boundary(boundaryAt(7, 10_000));
    segmenter.advance(70_000);
    segmenter.flush();
    expect(recorder.segments.map(({ boundary }) => boundary.index)).toEqual([7]);
    // Frames last 1920 ticks: the one at 9600 begins within half of that before the boundary.
    expect(recorder.segments[0]?.start?.startTicks).toBe(9600);
    expect(segmenter.stats.outsideSegment).toBe(5);
  });

  test("waits for the leader where it is ahead, but not for ever", () => {
    const { recorder, segmenter } = make({ maxLeadMs: 500 });
    segmenter.boundary(boundaryAt(0, 0, 0));
    const units = audioUnits({ track: aacTrackAt(48_000), frames: 80 });
    pushAll(segmenter, units.slice(0, 20));
    expect(recorder.segments).toHaveLength(0);
    segmenter.advance(36_000);
    expect(recorder.segments).toHaveLength(1);
    pushAll(segmenter, units.slice(20));
    // Over half a second ahead: what is older goes on.
    expect(recorder.samples.length).toBeGreaterThan(40);
  });

  test("PKG4: a segment without media is a gap of the leader's duration, once the leader is far enough ahead", () => {
    const { recorder, segmenter } = make({ maxLagMs: 4000 });
    segmenter.boundary(boundaryAt(0, 0, 0));
    pushAll(segmenter, steady(60));
    segmenter.boundary(boundaryAt(1, 180_000));
    segmenter.boundary(boundaryAt(2, 360_000, 180_000));
    segmenter.boundary(boundaryAt(3, 540_000, 180_000));
    // Its first segment has ended, since nothing more came for it in time; the second may still come.
    expect(recorder.segments.map(({ durationTicks }) => durationTicks)).toEqual([180_000]);
    segmenter.boundary(boundaryAt(4, 700_000, 160_000));
    expect(recorder.segments.map(({ start, durationTicks }) => [start === undefined, durationTicks])).toEqual([
      [false, 180_000],
    ]);
    segmenter.boundary(boundaryAt(5, 720_000, 20_000));
    expect(recorder.segments.map(({ start, durationTicks }) => [start === undefined, durationTicks])).toEqual([
      [false, 180_000],
      [true, 180_000],
    ]);
    // It comes back late, in the middle of segment 3, and begins there with a keyframe.
    pushAll(segmenter, steady(60, 600_000));
    segmenter.flush();
    expect(segmenter.stats.gaps).toBe(2);
    expect(recorder.segments.map(({ start }) => start?.startTicks)).toEqual([
      0,
      undefined,
      undefined,
      600_000,
      705_000,
      726_000,
    ]);
    expect(recorder.segments.map(({ boundary }) => boundary.index)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("PKG4: a configuration that changes in mid-segment waits for the next boundary, and asks for a discontinuity", () => {
    const { recorder, segmenter } = make();
    segmenter.boundary(boundaryAt(0, 0, 0));
    const stereo = audioUnits({ track: aacTrackAt(48_000), frames: 40 });
    const mono = audioUnits({ track: { ...aacTrackAt(44_100), channels: 1 }, frames: 100, startTicks: 76_800 });
    segmenter.advance(1_000_000);
    pushAll(segmenter, [...stereo, ...mono.slice(0, 40)]);
    expect(recorder.configurationChanges).toEqual([mono[0]?.track]);
    segmenter.boundary({ ...boundaryAt(1, 180_000), discontinuity: true, discontinuitySequence: 1 });
    pushAll(segmenter, mono.slice(40));
    segmenter.flush();
    expect(recorder.inits.map((track) => (track.kind === "audio" ? track.channels : 0))).toEqual([2, 1]);
    expect(recorder.segments.map(({ start }) => start?.boundary.discontinuity)).toEqual([false, true]);
    expect(recorder.segments[0]?.durationTicks).toBe(76_800);
    expect(recorder.segments[1]?.start?.startTicks).toBeGreaterThan(178_900);
    expect(segmenter.stats.outsideSegment).toBeGreaterThan(40);
  });

  test("PKG4: a configuration that changes at a boundary loses nothing and asks for nothing", () => {
    const { recorder, segmenter } = make();
    segmenter.boundary(boundaryAt(0, 0, 0));
    segmenter.advance(1_000_000);
    const before = steady(60);
    const after = videoUnits({
      track: videoTrack(0, Uint8Array.of(5)),
      frames: 60,
      frameRate: 30,
      gop: 60,
      startTicks: 180_000,
    });
    pushAll(segmenter, before);
    segmenter.boundary({ ...boundaryAt(1, 180_000), discontinuity: true, discontinuitySequence: 1 });
    pushAll(segmenter, after);
    segmenter.flush();
    expect(recorder.configurationChanges).toEqual([]);
    expect(recorder.samples).toHaveLength(120);
    expect(recorder.inits).toHaveLength(2);
  });

  test("an encoder that puts its keyframe elsewhere is cut there all the same, and the segment says so", () => {
    const { recorder, segmenter } = make();
    segmenter.boundary(boundaryAt(0, 0, 0));
    segmenter.advance(1_000_000);
    pushAll(segmenter, steady(50));
    segmenter.boundary(boundaryAt(1, 90_000, 90_000));
    pushAll(segmenter, steady(70).slice(50));
    segmenter.flush();
    expect(recorder.segments.map(({ start }) => [start?.startTicks, start?.independent])).toEqual([
      [0, true],
      [147_000, false],
    ]);
    expect(recorder.samples).toHaveLength(70);
  });
});

import { describe, expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import type { CmafSegmenter } from "./cmaf-segmenter.ts";
import { SegmentAligner } from "./segment-aligner.ts";
import { SegmentRecorder } from "./testing/segment-recorder.ts";
import { aacTrackAt, audioUnits, videoTrack, videoUnits } from "./testing/synthetic-track.ts";

const OPTIONS = { targetDuration: 4, partTarget: 0.334 };

function newStream() {
  const aligner = new SegmentAligner();
  const join = (mayLead: boolean) => {
    const recorder = new SegmentRecorder(4, 0.334);
    return { recorder, segmenter: aligner.join({ ...OPTIONS, mayLead }, recorder) };
  };
  return { aligner, join };
}

function play(aligner: SegmentAligner, ...feeds: readonly (readonly [CmafSegmenter, readonly AccessUnit[]])[]): void {
  const arrivals = feeds.flatMap(([segmenter, units]) => units.map((unit) => ({ segmenter, unit })));
  arrivals.sort((a, b) => a.unit.dts - b.unit.dts);
  for (const { segmenter, unit } of arrivals) aligner.push(segmenter, unit);
}

const video = (frames: number, startTicks = 0) =>
  videoUnits({ track: videoTrack(), frames, frameRate: 30, gop: 60, startTicks });
const audio = (frames: number, startTicks = 0) => audioUnits({ track: aacTrackAt(48_000), frames, startTicks });

describe("PKG4 segment aligner", () => {
  test("when the picture stays away, sound leads, and the picture gets gaps; it leads again when it returns", () => {
    const { aligner, join } = newStream();
    const picture = join(true);
    const sound = join(true);
    play(aligner, [picture.segmenter, [...video(90), ...video(300, 1_350_000)]], [sound.segmenter, audio(1200)]);
    aligner.flush();
    expect(picture.recorder.segments.map(({ boundary }) => boundary)).toEqual(
      sound.recorder.segments.map(({ boundary }) => boundary),
    );
    // Sound never misses a frame, and no segment is longer than it may be.
    expect(sound.recorder.samples).toHaveLength(1200);
    expect(sound.recorder.segments.every(({ durationTicks }) => durationTicks < 4.5 * 90_000)).toBe(true);
    const gaps = picture.recorder.segments.filter(({ start }) => start === undefined);
    expect(gaps.length).toBeGreaterThanOrEqual(4);
    const back = picture.recorder.filled.find(({ start }) => start !== undefined && start.startTicks >= 1_350_000);
    expect(back?.start).toMatchObject({ startTicks: 1_350_000, independent: true });
    expect(picture.recorder.samples).toHaveLength(390);
    expect(picture.recorder.boundaries.some(({ ticks }) => ticks > 1_350_000)).toBe(true);
  });

  test("when the picture stands still for longer than a segment may be, sound is cut in time, and nothing is dropped", () => {
    const { aligner, join } = newStream();
    const picture = join(true);
    const sound = join(true);
    const still = videoUnits({ track: videoTrack(), frames: 300, frameRate: 30, gop: 300 });
    const units = still.filter(({ dts }) => dts < 225_000 || dts >= 441_000);
    play(aligner, [picture.segmenter, units], [sound.segmenter, audio(468)]);
    aligner.flush();
    expect(sound.recorder.samples).toHaveLength(468);
    expect(picture.recorder.samples.map(({ decodeTime }) => decodeTime)).toEqual(units.map(({ dts }) => dts));
    // The last picture before the hole stands until the next: a decoder sees no hole.
    const last = picture.recorder.samples.find(({ decodeTime }) => decodeTime === 222_000);
    expect(last?.duration).toBe(219_000);
    expect(picture.recorder.segments.map(({ boundary }) => boundary)).toEqual(
      sound.recorder.segments.map(({ boundary }) => boundary),
    );
  });

  test("video that appears after sound takes over with its first keyframe", () => {
    const { aligner, join } = newStream();
    const sound = join(true);
    play(aligner, [sound.segmenter, audio(200)]);
    const picture = join(true);
    play(aligner, [sound.segmenter, audio(600, 200 * 1920)], [picture.segmenter, video(300, 400_000)]);
    aligner.flush();
    expect(picture.recorder.boundaries.map(({ ticks }) => ticks).slice(0, 3)).toEqual([400_000, 580_000, 760_000]);
    expect(sound.recorder.samples).toHaveLength(800);
    const shared = sound.recorder.segments.filter(
      ({ boundary }) => boundary.index >= (picture.recorder.segments[0]?.boundary.index ?? 0),
    );
    expect(shared.map(({ boundary }) => boundary)).toEqual(picture.recorder.segments.map(({ boundary }) => boundary));
  });

  test("a rendition that joins late begins with the current segment, and is asked of the same number", () => {
    const { aligner, join } = newStream();
    const source = join(true);
    play(aligner, [source.segmenter, video(200)]);
    expect(aligner.currentBoundary?.index).toBe(3);
    const late = join(false);
    play(aligner, [source.segmenter, video(260).slice(200)], [late.segmenter, video(260).slice(180)]);
    aligner.flush();
    expect(late.recorder.segments.map(({ boundary }) => boundary.index)).toEqual([3, 4]);
    expect(late.recorder.segments[0]?.start?.startTicks).toBe(540_000);
  });

  test("a follower whose encoding changes makes the next boundary a discontinuity for all", () => {
    const { aligner, join } = newStream();
    const source = join(true);
    const sound = join(true);
    const mono = { ...aacTrackAt(48_000), channels: 1 };
    const units = audio(400).map((unit) => (unit.dts > 250_000 ? { ...unit, track: mono } : unit));
    play(aligner, [source.segmenter, video(250)], [sound.segmenter, units]);
    aligner.flush();
    for (const { recorder } of [source, sound]) {
      expect(recorder.segments.map(({ boundary }) => boundary.discontinuity)).toEqual([
        false,
        false,
        true,
        false,
        false,
      ]);
    }
    expect(sound.recorder.inits.map((track) => (track.kind === "audio" ? track.channels : 0))).toEqual([2, 1]);
  });

  test("ING5: interruption and return: every rendition goes on with the same discontinuity", () => {
    const { aligner, join } = newStream();
    const source = join(true);
    const sound = join(true);
    play(aligner, [source.segmenter, video(100)], [sound.segmenter, audio(150)]);
    aligner.flush();
    play(aligner, [source.segmenter, video(100, 2_000_000)], [sound.segmenter, audio(150, 1_990_000)]);
    aligner.flush();
    for (const { recorder } of [source, sound]) {
      expect(recorder.segments.map(({ boundary }) => boundary.discontinuitySequence)).toEqual([0, 0, 1, 1]);
      expect(recorder.segments[2]?.start?.startTicks).toBeGreaterThanOrEqual(1_999_000);
    }
  });

  test("when the leader leaves, the next one leads", () => {
    const { aligner, join } = newStream();
    const source = join(true);
    const sound = join(true);
    play(aligner, [source.segmenter, video(70)], [sound.segmenter, audio(110)]);
    aligner.leave(source.segmenter);
    aligner.leave(source.segmenter);
    play(aligner, [sound.segmenter, audio(400, 110 * 1920)]);
    aligner.push(source.segmenter, video(1)[0] as AccessUnit);
    aligner.flush();
    expect(sound.recorder.boundaries.length).toBeGreaterThan(2);
    expect(sound.recorder.samples).toHaveLength(510);
  });
});

import { RestartPolicy } from "@klieg/ffmpeg";
import type { AccessUnit, AudioTrack, VideoTrack } from "@klieg/media";
import { describe, expect, test } from "vitest";
import { frameRateOf } from "./frame-rate.ts";
import { RenditionStitcher, type TranscodedRendition } from "./rendition-stitcher.ts";
import { SpeedMeter } from "./speed-meter.ts";

const track: VideoTrack = {
  kind: "video",
  id: 0,
  codec: "h264",
  config: Uint8Array.of(1),
  codecString: "avc1.64001f",
  width: 854,
  height: 480,
  frameRate: 30,
  profile: "High",
};
const sound: AudioTrack = {
  kind: "audio",
  id: 0,
  codec: "aac",
  config: Uint8Array.of(0x11, 0x90),
  codecString: "mp4a.40.2",
  sampleRate: 48_000,
  channels: 2,
};
const frames = (dts: readonly number[]): AccessUnit[] =>
  dts.map((at) => ({ track, dts: at, pts: at, keyframe: false, data: new Uint8Array() }));

describe("the frame rate of a source", () => {
  const every = (ms: number, count = 12) => frames(Array.from({ length: count }, (_, i) => Math.round(i * ms) * 90));

  test("a declared rate is taken where the timestamps agree", () => {
    expect(frameRateOf(30_000 / 1001, every(33.367))).toBe(30_000 / 1001);
    expect(frameRateOf(60, [])).toBe(60);
  });
  test("a declared rate that the timestamps contradict is not", () => {
    expect(frameRateOf(50, every(40))).toBe(25);
    expect(frameRateOf(90_000, every(20))).toBe(50);
    expect(frameRateOf(0, [])).toBe(30);
  });
  test("without one it is measured, in whole milliseconds and with a frame missing", () => {
    expect(frameRateOf(undefined, every(1000 / 60))).toBe(60);
    expect(frameRateOf(undefined, every(1000 / 30))).toBe(30);
    expect(frameRateOf(undefined, [...every(40, 6), ...frames([400, 440, 480].map((ms) => ms * 90))])).toBe(25);
    expect(frameRateOf(undefined, every(100))).toBe(10);
  });
});

describe("TRN6: falling behind is told from being held up", () => {
  const lag = 1.5 * 90_000;
  const meter = (outputAt: (second: number) => number, until: number) => {
    const speed = new SpeedMeter();
    for (let at = 0; at <= until; at += 0.25) speed.note(at * 1000, at * 90_000, outputAt(at) * 90_000);
    return speed;
  };

  test("steadily too slow is falling behind, after a while", () => {
    const slow = (at: number) => at * 0.7;
    expect(meter(slow, 4).isFallingBehind(lag, 3000)).toBe(false);
    expect(meter(slow, 10).isFallingBehind(lag, 3000)).toBe(true);
    expect(meter(slow, 10).speed).toBeCloseTo(0.7);
  });
  test("held up and catching up is not", () => {
    const heldUp = (at: number) => (at < 5 ? at : at < 7.5 ? 5 : Math.min(at - 0.1, 5 + (at - 7.5) * 1.3));
    for (let until = 1; until < 20; until += 0.25) expect(meter(heldUp, until).isFallingBehind(lag, 3000)).toBe(false);
  });
  test("late but steady is not worse than it was: it is behind all the same", () => {
    expect(meter((at) => at - 2, 10).isFallingBehind(lag, 3000)).toBe(true);
    expect(meter((at) => at - 1, 10).isFallingBehind(lag, 3000)).toBe(false);
  });
  test("nothing is said before there is anything to say", () => {
    expect(new SpeedMeter().speed).toBeUndefined();
    expect(new SpeedMeter().isFallingBehind(0, 0)).toBe(false);
  });
});

describe("TRN6: restarts", () => {
  test("the first is at once, those that follow wait longer, and at last it is only tried now and then", () => {
    const policy = new RestartPolicy();
    const delays = Array.from({ length: 8 }, () => policy.failed({ livedMs: 100, madeAnything: false }));
    expect(delays).toEqual([0, 250, 1000, 2000, 5000, 10_000, 30_000, 30_000]);
    expect(policy.givenUp).toBe(true);
  });
  test("one that has worked starts the count anew", () => {
    const policy = new RestartPolicy();
    for (let i = 0; i < 4; i += 1) policy.failed({ livedMs: 100, madeAnything: true });
    expect(policy.failed({ livedMs: 20_000, madeAnything: true })).toBe(0);
    expect(policy.inARow).toBe(1);
    expect(policy.failed({ livedMs: 20_000, madeAnything: false })).toBe(250);
  });
});

describe("TRN6: what one FFmpeg after another makes becomes one rendition", () => {
  const rendition: TranscodedRendition = {
    name: "480p",
    kind: "video",
    encoder: "libx264",
    bitrate: 1e6,
    rung: undefined,
  };
  const audio: TranscodedRendition = { name: "audio", kind: "audio", encoder: "aac", bitrate: 1e5, rung: undefined };
  const unit = (at: number, keyframe = false, of: VideoTrack | AudioTrack = track): AccessUnit => ({
    track: of,
    dts: at,
    pts: at,
    keyframe,
    data: new Uint8Array(),
  });
  const stitched = () => {
    const made: AccessUnit[] = [];
    const stitcher = new RenditionStitcher((_, emitted) => made.push(emitted));
    return { made, stitcher, times: () => made.map(({ dts }) => dts) };
  };

  test("nothing twice; a keyframe within a GOP is not one to cut at; the track stays the same", () => {
    const { made, stitcher, times } = stitched();
    stitcher.noteKeyframe(0);
    stitcher.noteKeyframe(9000);
    for (const at of [0, 3000, 6000]) stitcher.push(rendition, unit(at, at === 0), 0);
    const again = { ...track, config: Uint8Array.of(1) };
    for (const at of [3000, 6000, 7000, 9000]) stitcher.push(rendition, unit(at, at === 7000 || at === 9000, again), 0);
    expect(times()).toEqual([0, 3000, 6000, 7000, 9000]);
    expect(made.map(({ keyframe }) => keyframe)).toEqual([true, false, false, false, true]);
    expect(new Set(made.map((emitted) => emitted.track))).toEqual(new Set([track]));
    expect(stitcher.lastVideoPts).toBe(9000);
    expect(stitcher.lastVideoPtsOf([rendition.name])).toBe(9000);
    expect(stitcher.lastVideoPtsOf(["another"])).toBeUndefined();
  });

  test("another configuration waits for the source's next keyframe", () => {
    const { made, stitcher, times } = stitched();
    stitcher.noteKeyframe(0);
    stitcher.noteKeyframe(9000);
    stitcher.push(rendition, unit(0, true), 0);
    const other = { ...track, config: Uint8Array.of(2) };
    for (const at of [3000, 6000, 9000, 12_000])
      stitcher.push(rendition, unit(at, at % 9000 === 3000 || at === 9000, other), 0);
    expect(times()).toEqual([0, 9000, 12_000]);
    expect(made[1]?.track).toBe(other);
  });

  test("the first unit after the timeline broke says so, and no other", () => {
    const { made, stitcher } = stitched();
    for (const at of [0, 90_000, 180_000]) stitcher.noteKeyframe(at);
    stitcher.push(rendition, unit(0, true), 0);
    stitcher.push(rendition, unit(90_000, true), 1);
    stitcher.push(rendition, unit(93_000), 1);
    expect(made.map(({ discontinuity }) => discontinuity)).toEqual([undefined, true, undefined]);
  });

  test("sound that overlaps with what was made before is left out", () => {
    const { stitcher, times } = stitched();
    for (const at of [0, 1920, 2500, 3840, 3900, 5760, 9000]) stitcher.push(audio, unit(at, true, sound), 0);
    expect(times()).toEqual([0, 1920, 3840, 5760, 9000]);
  });
});

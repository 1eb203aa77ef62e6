import { ManualClock } from "@klieg/base";
import type { AccessUnit, Track } from "@klieg/media";
import { describe, expect, it } from "vitest";
import { AUDIO, picture, sound, VIDEO } from "../../testing/tracks.ts";
import { SettlingPicture } from "./settling-picture.ts";

function setUp(hasVideo = true) {
  const clock = new ManualClock();
  const tracks: Track[] = [];
  const units: AccessUnit[] = [];
  let requests = 0;
  const subject = new SettlingPicture({
    clock,
    hasVideo,
    sink: { onTrack: (track) => tracks.push(track), onAccessUnit: (unit) => units.push(unit) },
    requestKeyframe: () => {
      requests += 1;
    },
  });
  let dts = 0;
  /** So many seconds of sound and of a picture of that size, whose keyframes come when `keyframe` says so. */
  const send = (seconds: number, size: { width: number; height: number } | undefined, keyframe = () => false) => {
    const track = { ...VIDEO, ...size };
    if (size !== undefined) subject.onTrack(track);
    for (let frame = 0; frame < seconds * 30; frame += 1) {
      subject.onAccessUnit(sound(dts));
      if (size !== undefined) subject.onAccessUnit(picture(dts, { track, keyframe: frame === 0 || keyframe() }));
      dts += 3000;
      clock.advance(1000 / 30);
    }
  };
  return { subject, clock, tracks, units, send, requests: () => requests };
}

const SMALL = { width: 320, height: 180 };
const MIDDLE = { width: 640, height: 360 };
const LARGE = { width: 1280, height: 720 };

describe("RTC3: a WebRTC sender's picture before it has found its size", () => {
  it("is held back while it grows, and begins with a keyframe that is asked for once", () => {
    const { tracks, units, send, requests, subject } = setUp();
    subject.onTrack(AUDIO);
    send(1, SMALL);
    send(1, MIDDLE);
    send(2, LARGE);
    expect(units).toEqual([]);
    expect(requests()).toBe(1);
    send(0.1, LARGE);
    expect(tracks.map((track) => (track.kind === "video" ? track.width : track.codec))).toEqual(["aac", 1280]);
    expect(units[0]).toMatchObject({ keyframe: true, track: { width: 1280 } });
    expect(subject.settled).toBe(true);
    // From now on a change is the packager's to deal with.
    send(1, MIDDLE);
    expect(tracks.at(-1)).toMatchObject({ width: 640 });
    expect(units.at(-1)?.track).toMatchObject({ width: 640 });
  });

  it("is taken as it is in the end, however it goes on changing", () => {
    const { units, send } = setUp();
    for (let second = 0; second < 8; second += 1) send(1, second % 2 === 0 ? MIDDLE : LARGE);
    expect(units.length).toBeGreaterThan(0);
  });

  it("does not keep sound waiting for a picture that does not come", () => {
    const { units, send } = setUp();
    send(2.9, undefined);
    expect(units).toEqual([]);
    send(0.2, undefined);
    expect(units.length).toBeGreaterThan(0);
  });

  it("is no matter where there is none", () => {
    const { units, send } = setUp(false);
    send(0.1, undefined);
    expect(units).toHaveLength(3);
  });
});

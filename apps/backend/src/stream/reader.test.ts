import type { AccessUnit, VideoTrack } from "@klieg/media";
import { describe, expect, it } from "vitest";
import { Reader } from "./reader.ts";

const video: VideoTrack = {
  kind: "video",
  id: 0,
  codec: "h264",
  config: new Uint8Array(),
  codecString: "avc1.64001f",
  width: 16,
  height: 16,
  frameRate: 30,
  profile: undefined,
};
const audio = {
  kind: "audio",
  id: 0,
  codec: "aac",
  config: new Uint8Array(),
  codecString: "mp4a.40.2",
  sampleRate: 48_000,
  channels: 2,
} as const;

function frame(dts: number, keyframe = false, bytes = 10): AccessUnit {
  return { track: video, dts, pts: dts, keyframe, data: new Uint8Array(bytes) };
}
function sound(dts: number): AccessUnit {
  return { track: audio, dts, pts: dts, keyframe: true, data: new Uint8Array(10) };
}
function reader(maxQueuedBytes: number): Reader {
  return new Reader({ name: "test", maxQueuedBytes }, () => undefined);
}
function drain(from: Reader): AccessUnit[] {
  const units: AccessUnit[] = [];
  for (let unit = from.take(); unit !== undefined; unit = from.take()) units.push(unit);
  return units;
}

describe("Reader", () => {
  it("hands units on in order and says when there is something to take", () => {
    using subject = reader(1000);
    let calls = 0;
    subject.onReadable = () => {
      calls += 1;
    };
    subject.offer(frame(0, true));
    subject.offer(frame(1));
    expect(drain(subject).map((unit) => unit.dts)).toEqual([0, 1]);
    expect(calls).toBe(1);
    subject.offer(frame(2));
    expect(calls).toBe(2);
    expect(subject.queuedBytes).toBe(10);
  });

  it("loses what is queued and what follows up to the next keyframe, counts it and marks the hole", () => {
    using subject = reader(30);
    for (const unit of [frame(0, true), sound(0), frame(1), frame(2), sound(2), frame(3, true), sound(3), frame(4)]) {
      subject.offer(unit);
    }
    const units = drain(subject);
    expect(units.map((unit) => [unit.track.kind, unit.dts, unit.discontinuity === true])).toEqual([
      ["video", 3, true],
      ["audio", 3, true],
      ["video", 4, false],
    ]);
    expect(subject.droppedAccessUnits).toBe(5);
    expect(subject.overflows).toBe(1);
  });

  it("goes on without a keyframe where there is no video", () => {
    using subject = reader(15);
    for (const dts of [0, 1, 2]) subject.offer(sound(dts));
    expect(drain(subject).map((unit) => unit.dts)).toEqual([2]);
  });

  it("takes a unit larger than its bound when nothing waits", () => {
    using subject = reader(5);
    subject.offer(frame(0, true, 100));
    expect(drain(subject)).toHaveLength(1);
  });

  it("keeps its order over many units", () => {
    using subject = reader(1_000_000);
    let taken = 0;
    for (let dts = 0; dts < 10_000; dts += 1) {
      subject.offer(frame(dts, dts === 0, 1));
      if (dts % 3 !== 0) expect(subject.take()?.dts).toBe(taken++);
    }
    expect(drain(subject)[0]?.dts).toBe(taken);
    expect(subject.queuedBytes).toBe(0);
  });

  it("can still be emptied after the stream's end, but not after its own", () => {
    const subject = reader(100);
    let ends = 0;
    subject.onEnd = () => {
      ends += 1;
    };
    subject.offer(frame(0, true));
    subject.end();
    subject.end();
    expect(ends).toBe(1);
    expect(drain(subject)).toHaveLength(1);
    subject.close();
    expect(ends).toBe(1);
  });
});

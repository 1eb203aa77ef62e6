import type { RoomSource } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { type Publication, Publications } from "./publications.ts";
import { FakeMedia, fakeTrack } from "./testing/fake-room.ts";

const voice = fakeTrack("audio", "voice");
const face = fakeTrack("video", "face");
const camera: [RoomSource, Publication] = ["camera", { track: face, paused: false }];
const microphone = (paused = false, track = voice): [RoomSource, Publication] => ["microphone", { track, paused }];

describe("what is sent kept in step with what is wanted (RTC2)", () => {
  it("follows changes one by one, and skips what was overtaken", async () => {
    const media = new FakeMedia({} as never);
    const publications = new Publications(media, () => undefined);
    const muted = (is: boolean) => new Map([microphone(is)]);
    const first = publications.sync(muted(false));
    void publications.sync(muted(true));
    void publications.sync(muted(false));
    await publications.sync(muted(true));
    await first;
    expect(media.asked).toEqual(["publish microphone voice", "publish microphone voice paused"]);
    const other = fakeTrack("audio", "headset");
    await publications.sync(new Map([microphone(true, other)]));
    await publications.sync(new Map());
    await publications.sync(new Map());
    expect(media.asked.slice(2)).toEqual(["publish microphone headset paused", "unpublish microphone"]);
  });

  it("misses no change that comes in the same breath as one that changes nothing", async () => {
    const media = new FakeMedia({} as never);
    const publications = new Publications(media, () => undefined);
    void publications.sync(new Map());
    await publications.sync(new Map([camera]));
    expect(media.asked).toEqual(["publish camera face"]);
  });

  it("reports what fails, goes on with the rest, and tries again only when it changes", async () => {
    const media = new FakeMedia({} as never);
    const faults: string[] = [];
    const publish = media.publish.bind(media);
    media.publish = async (source, track, paused) => {
      await publish(source, track, paused);
      if (source === "microphone") throw new Error("no");
    };
    const publications = new Publications(media, (source) => faults.push(source));
    const wanted = new Map([microphone(), camera]);
    await publications.sync(wanted);
    await publications.sync(wanted);
    expect(faults).toEqual(["microphone"]);
    expect(media.asked).toEqual(["publish microphone voice", "publish camera face"]);
    publications.lost("camera");
    await publications.sync(wanted);
    expect(media.asked.slice(2)).toEqual(["publish camera face"]);
  });
});

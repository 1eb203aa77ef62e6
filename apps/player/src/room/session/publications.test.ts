import { describe, expect, it } from "vitest";
import type { CaptureState } from "../media/capture.ts";
import { FakeMedia, fakeCapture, fakeTrack } from "./fake-room.ts";
import { Publications, publicationsOf } from "./publications.ts";

function capturing(change: Partial<CaptureState>): CaptureState {
  return { ...fakeCapture().store.getState(), ...change };
}

const captured = (track: MediaStreamTrack | null) => ({ track, asking: false, fault: null });
const voice = fakeTrack("audio", "voice");
const face = fakeTrack("video", "face");

describe("what is sent of what is captured (RTC2)", () => {
  it("is everything that is open; a muted microphone waits paused", () => {
    const state = capturing({ microphone: captured(voice), camera: captured(face), muted: true });
    expect([...publicationsOf(state)]).toEqual([
      ["microphone", { track: voice, paused: true }],
      ["camera", { track: face, paused: false }],
    ]);
    expect(publicationsOf({ ...state, talking: true }).get("microphone")).toEqual({ track: voice, paused: false });
    expect(publicationsOf(capturing({})).size).toBe(0);
  });

  it("follows changes one by one, and skips what was overtaken", async () => {
    const media = new FakeMedia({} as never);
    const publications = new Publications(media, () => undefined);
    const muted = (is: boolean) => publicationsOf(capturing({ microphone: captured(voice), muted: is }));
    const first = publications.sync(muted(false));
    void publications.sync(muted(true));
    void publications.sync(muted(false));
    await publications.sync(muted(true));
    await first;
    expect(media.asked).toEqual(["publish microphone voice", "publish microphone voice paused"]);
    const other = fakeTrack("audio", "headset");
    await publications.sync(publicationsOf(capturing({ microphone: captured(other), muted: true })));
    await publications.sync(new Map());
    await publications.sync(new Map());
    expect(media.asked.slice(2)).toEqual(["publish microphone headset paused", "unpublish microphone"]);
  });

  it("misses no change that comes in the same breath as one that changes nothing", async () => {
    const media = new FakeMedia({} as never);
    const publications = new Publications(media, () => undefined);
    void publications.sync(new Map());
    await publications.sync(publicationsOf(capturing({ camera: captured(face) })));
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
    const wanted = publicationsOf(capturing({ microphone: captured(voice), camera: captured(face) }));
    await publications.sync(wanted);
    await publications.sync(wanted);
    expect(faults).toEqual(["microphone"]);
    expect(media.asked).toEqual(["publish microphone voice", "publish camera face"]);
    publications.lost("camera");
    await publications.sync(wanted);
    expect(media.asked.slice(2)).toEqual(["publish camera face"]);
  });
});

import { fakeTrack } from "@klieg/room/testing";
import { describe, expect, it } from "vitest";
import { createStore } from "zustand/vanilla";
import type { CaptureState } from "./capture.ts";
import { outgoingOf, publicationsOf } from "./captured-publications.ts";

const NOTHING = { track: null, asking: false, fault: null };
const CLOSED: CaptureState = {
  camera: NOTHING,
  microphone: NOTHING,
  muted: false,
  talking: false,
  screen: NOTHING,
  screenAudio: null,
};
const captured = (track: MediaStreamTrack | null) => ({ track, asking: false, fault: null });
const voice = fakeTrack("audio", "voice");
const face = fakeTrack("video", "face");

describe("what is sent of what is captured (RTC2)", () => {
  it("is everything that is open; a muted microphone waits paused", () => {
    const state = { ...CLOSED, microphone: captured(voice), camera: captured(face), muted: true };
    expect([...publicationsOf(state)]).toEqual([
      ["microphone", { track: voice, paused: true }],
      ["camera", { track: face, paused: false }],
    ]);
    expect(publicationsOf({ ...state, talking: true }).get("microphone")).toEqual({ track: voice, paused: false });
    expect(publicationsOf(CLOSED).size).toBe(0);
  });

  it("follows what a host says", () => {
    const store = createStore(() => ({ ...CLOSED, microphone: captured(voice) }));
    const asked: string[] = [];
    const outgoing = outgoingOf({
      store,
      muteByHost: () => store.setState({ muted: true }),
      setCamera: async (on) => void asked.push(`camera ${on}`),
      stopScreen: () => asked.push("stop screen"),
      stopAll: () => asked.push("stop all"),
    });
    let changes = 0;
    const end = outgoing.subscribe(() => changes++);
    outgoing.silence("microphone");
    expect(outgoing.wanted().get("microphone")?.paused).toBe(true);
    expect(changes).toBe(1);
    end();
    outgoing.silence("camera");
    outgoing.silence("screen");
    outgoing.failed("microphone");
    outgoing.failed("screen_audio");
    outgoing.stopAll();
    expect(asked).toEqual(["camera false", "stop screen", "stop screen", "stop all"]);
  });
});

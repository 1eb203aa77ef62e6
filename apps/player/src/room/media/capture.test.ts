import { describe, expect, it, vi } from "vitest";
import { Capture, type CaptureDevices, isHeard } from "./capture.ts";
import { RoomPreferences } from "./room-preferences.ts";

class FakeTrack extends EventTarget {
  readonly kind: "audio" | "video";
  readonly deviceId: string;
  enabled = true;
  stopped = false;
  contentHint = "";

  constructor(kind: "audio" | "video", deviceId: string) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
  }

  stop(): void {
    this.stopped = true;
  }

  unplug(): void {
    this.stopped = true;
    this.dispatchEvent(new Event("ended"));
  }
}

const idOf = (wanted: MediaStreamConstraints["video"]) => {
  const { deviceId } = (wanted ?? {}) as { deviceId?: { exact: string } };
  return deviceId?.exact ?? "default";
};

function open(refuse: (constraints: MediaStreamConstraints) => string | null = () => null) {
  const tracks: FakeTrack[] = [];
  const asked: string[] = [];
  const stream = (made: FakeTrack[]) => {
    tracks.push(...made);
    return {
      getTracks: () => made,
      getVideoTracks: () => made.filter(({ kind }) => kind === "video"),
      getAudioTracks: () => made.filter(({ kind }) => kind === "audio"),
    } as unknown as MediaStream;
  };
  const fail = (name: string | null) => {
    if (name !== null) throw Object.assign(new Error(name), { name });
  };
  let screenFault: string | null = null;
  const devices: CaptureDevices = {
    getUserMedia: async (constraints = {}) => {
      const { video, audio } = constraints;
      asked.push([video && `camera ${idOf(video)}`, audio && `microphone ${idOf(audio)}`].filter(Boolean).join(" + "));
      fail(refuse(constraints));
      return stream([
        ...(video ? [new FakeTrack("video", idOf(video))] : []),
        ...(audio ? [new FakeTrack("audio", idOf(audio))] : []),
      ]);
    },
    getDisplayMedia: async () => {
      fail(screenFault);
      return stream([new FakeTrack("video", "screen"), new FakeTrack("audio", "screen")]);
    },
  };
  const preferences = new RoomPreferences(null);
  const capture = new Capture(preferences, devices);
  return {
    capture,
    preferences,
    tracks,
    asked,
    state: () => capture.store.getState(),
    refuseScreen: (name: string | null) => {
      screenFault = name;
    },
  };
}

describe("camera, microphone and screen (RTC2)", () => {
  it("asks once for both, and lets go of both", async () => {
    const { capture, asked, state, tracks } = open();
    await capture.open(["camera", "microphone"]);
    expect(asked).toEqual(["camera default + microphone default"]);
    expect(state()).toMatchObject({ camera: { asking: false, fault: null }, microphone: { fault: null } });
    expect(isHeard(state())).toBe(true);
    capture.close();
    capture.close();
    expect(tracks.every(({ stopped }) => stopped)).toBe(true);
    expect(state().camera.track).toBeNull();
    await capture.open(["camera"]);
    expect(asked).toHaveLength(1);
  });

  it("does without the one that is not there", async () => {
    const { capture, asked, state } = open(({ video }) => (video ? "NotFoundError" : null));
    await capture.open(["camera", "microphone"]);
    expect(asked.at(-1)).toBe("microphone default");
    expect(state()).toMatchObject({ camera: { track: null, fault: "missing" }, microphone: { fault: null } });
    expect(state().microphone.track).not.toBeNull();
    capture.close();
  });

  it.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "missing"],
    ["NotReadableError", "busy"],
    ["AbortError", "busy"],
    ["TypeError", "failed"],
  ])("says what is the matter: %s", async (name, fault) => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { capture, state } = open(() => name);
    await capture.open(["camera", "microphone"]);
    expect(state()).toMatchObject({ camera: { track: null, asking: false, fault }, microphone: { fault } });
    capture.close();
    warn.mockRestore();
  });

  it("says that browsers give nothing to pages that came over plain HTTP", async () => {
    const capture = new Capture(new RoomPreferences(null), null);
    await capture.open(["camera", "microphone"]);
    expect(capture.store.getState()).toMatchObject({
      camera: { fault: "insecure" },
      microphone: { fault: "insecure" },
    });
    expect(await capture.shareScreen()).toBe(false);
    expect(capture.store.getState().screen.fault).toBe("insecure");
    capture.close();
  });

  it("mutes without letting go, and speaks while a key is held", async () => {
    const { capture, state, tracks } = open();
    await capture.open(["microphone"]);
    const [track] = tracks;
    await capture.setMuted(true);
    expect([track?.enabled, track?.stopped, isHeard(state())]).toEqual([false, false, false]);
    capture.setTalking(true);
    expect([track?.enabled, isHeard(state())]).toEqual([true, true]);
    capture.setTalking(false);
    expect(track?.enabled).toBe(false);
    await capture.setMuted(false);
    capture.muteByHost();
    expect([track?.enabled, state().muted]).toEqual([false, true]);
    capture.close();
  });

  it("remembers what was off, and opens a microphone muted that was muted", async () => {
    const first = open();
    await first.capture.setMuted(true);
    await first.capture.setCamera(false);
    expect(first.preferences.current).toMatchObject({ microphoneOn: false, cameraOn: false });
    const capture = new Capture(first.preferences, { getUserMedia: vi.fn(), getDisplayMedia: vi.fn() });
    expect(capture.store.getState().muted).toBe(true);
    // A host's mute is for one room.
    await first.capture.setMuted(false);
    first.capture.muteByHost();
    expect(first.preferences.current.microphoneOn).toBe(true);
    capture.close();
    first.capture.close();
  });

  it("takes another camera at once, and keeps the old one where the new one cannot be had", async () => {
    const { capture, state, tracks, preferences, asked } = open(({ video }) =>
      idOf(video) === "broken" ? "NotAllowedError" : null,
    );
    await capture.use("camera", "desk");
    expect(asked).toEqual([]);
    await capture.open(["camera"]);
    expect(asked).toEqual(["camera desk"]);
    await capture.use("camera", "window");
    expect(tracks.map(({ deviceId, stopped }) => [deviceId, stopped])).toEqual([
      ["desk", true],
      ["window", false],
    ]);
    await capture.use("camera", "broken");
    expect(state().camera).toMatchObject({ track: tracks[1], fault: "denied" });
    expect(tracks[1]?.stopped).toBe(false);
    expect(preferences.current.camera).toBe("broken");
    capture.close();
  });

  it("lets go of the old camera first where two cannot be open at once, as on phones", async () => {
    const held: { tracks: FakeTrack[] } = { tracks: [] };
    const { capture, tracks, state } = open(() =>
      held.tracks.some(({ stopped }) => !stopped) ? "NotReadableError" : null,
    );
    held.tracks = tracks;
    await capture.open(["camera"]);
    await capture.use("camera", "back");
    expect(state().camera).toMatchObject({ track: tracks[1], fault: null });
    expect(tracks[1]?.deviceId).toBe("back");
    capture.close();
  });

  it("takes the system's choice when the chosen device is not plugged in", async () => {
    const { capture, asked, state } = open(({ video }) => (idOf(video) === "gone" ? "OverconstrainedError" : null));
    await capture.use("camera", "gone");
    await capture.open(["camera"]);
    expect(asked).toEqual(["camera gone", "camera default"]);
    expect(state().camera.fault).toBeNull();
    capture.close();
  });

  it("takes another one when the device in use is unplugged, and says so where there is none", async () => {
    let any = true;
    const { capture, state, tracks } = open(() => (any ? null : "NotFoundError"));
    await capture.open(["microphone"]);
    tracks[0]?.unplug();
    await vi.waitFor(() => expect(state().microphone.track).toBe(tracks[1]));
    any = false;
    tracks[1]?.unplug();
    await vi.waitFor(() => expect(state().microphone).toEqual({ track: null, asking: false, fault: "lost" }));
    capture.close();
  });

  it("stops what comes after it is not wanted any more", async () => {
    const { capture, state, tracks } = open();
    const opening = capture.open(["camera", "microphone"]);
    void capture.setCamera(false);
    await opening;
    expect(state().camera.track).toBeNull();
    expect(tracks.map(({ kind, stopped }) => [kind, stopped])).toEqual([
      ["video", true],
      ["audio", false],
    ]);
    const late = capture.open(["camera"]);
    capture.close();
    await late;
    expect(tracks.every(({ stopped }) => stopped)).toBe(true);
  });

  it("shares a screen with its sound until it is stopped, here or by the browser", async () => {
    const { capture, state, tracks, refuseScreen } = open();
    refuseScreen("NotAllowedError");
    expect(await capture.shareScreen()).toBe(false);
    // Thought better of it: no fault.
    expect(state().screen).toEqual({ track: null, asking: false, fault: null });
    refuseScreen("NotReadableError");
    await capture.shareScreen();
    expect(state().screen.fault).toBe("busy");
    refuseScreen(null);
    expect(await capture.shareScreen()).toBe(true);
    expect(tracks[0]?.contentHint).toBe("detail");
    expect(state().screenAudio).toBe(tracks[1]);
    tracks[0]?.unplug();
    expect(state()).toMatchObject({ screen: { track: null }, screenAudio: null });
    expect(tracks[1]?.stopped).toBe(true);
    await capture.shareScreen();
    capture.stopScreen();
    expect(tracks.every(({ stopped }) => stopped)).toBe(true);
    capture.close();
  });
});

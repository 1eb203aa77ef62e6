import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ClockOffset } from "./clock-offset.ts";
import { FakeEngine } from "./fake-engine.ts";
import { FakeVideo } from "./fake-video.ts";
import { LiveSession } from "./live-session.ts";
import { Preferences } from "./preferences.ts";
import type { Fault } from "./recovery.ts";
import { findPinned, type Rendition } from "./rendition.ts";
import type { Source } from "./source.ts";

const RENDITIONS: Rendition[] = [240, 480, 720].map((height, index) => ({
  index,
  width: (height * 16) / 9,
  height,
  bitrate: height * 4000,
  frameRate: 30,
  codecs: "avc1",
}));

const SOURCE: Source = { streamId: "stream001", url: "https://host/live.m3u8", whep: null, defaultMode: "hls" };
const EDGE = { edge: 10, published: 10, start: 0, holdBack: 1, partTarget: 0.333, targetDuration: 2, live: true };

function networkError(status: number | null = null): Fault {
  return { origin: "engine", type: "networkError", detail: "manifestLoadError", fatal: true, status, native: false };
}

function open(
  options: { autoplay?: boolean; startMuted?: boolean; policy?: FakeVideo["policy"]; preferences?: Preferences } = {},
) {
  const video = new FakeVideo();
  video.policy = options.policy ?? "sound";
  const engines: FakeEngine[] = [];
  let asks = 0;
  const preferences = options.preferences ?? new Preferences(null);
  const session = new LiveSession({
    video: video.element,
    still: null,
    bridge: null,
    preferences,
    clockOffset: new ClockOffset(),
    askChannel: () => asks++,
    autoplay: options.autoplay ?? true,
    startMuted: options.startMuted ?? false,
    createEngine: async (engineOptions) => {
      const engine = new FakeEngine(engineOptions);
      engines.push(engine);
      return engine;
    },
  });
  const engine = () => {
    const last = engines.at(-1);
    if (!last) throw new Error("no engine yet");
    return last;
  };
  return {
    video,
    engines,
    engine,
    session,
    preferences,
    asks: () => asks,
    state: () => session.store.getState(),
    /** Loads the source and plays its first frame. */
    async play() {
      session.load(SOURCE);
      await vi.advanceTimersByTimeAsync(0);
      engine().options.chooseStart(RENDITIONS);
      engine().options.events.renditions?.(RENDITIONS);
      engine().edge = { ...EDGE };
      video.currentTime = 9;
      video.ranges = [[0, 10]];
      video.send("loadeddata");
      video.send("playing");
    },
  };
}

describe("live session (PLY1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "warn").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("plays a source with sound when it may", async () => {
    const player = open();
    await player.play();
    expect(player.engine().asked[0]).toBe(`load ${SOURCE.url}`);
    expect(player.state()).toMatchObject({ phase: "playing", pictured: true, withheld: null, muted: false });
    player.session.load(SOURCE);
    expect(player.engines).toHaveLength(1);
    player.session.close();
  });

  it("falls back to playing without sound, and does not remember that as the viewer's wish", async () => {
    const player = open({ policy: "muted" });
    await player.play();
    await vi.advanceTimersByTimeAsync(0);
    expect(player.state()).toMatchObject({ phase: "playing", withheld: "sound", muted: true });
    expect(player.preferences.current.muted).toBe(false);
    player.session.loudness.mute(false);
    expect(player.state()).toMatchObject({ withheld: null, muted: false });
    player.session.close();
  });

  it("asks for a gesture when nothing may play", async () => {
    const player = open({ policy: "nothing" });
    player.session.load(SOURCE);
    await vi.advanceTimersByTimeAsync(10);
    expect(player.state()).toMatchObject({ withheld: "playback", phase: "paused" });
    player.video.policy = "sound";
    player.session.play();
    await vi.advanceTimersByTimeAsync(10);
    expect(player.video.paused).toBe(false);
    player.session.close();
  });

  it("fetches nothing in an embed before the viewer presses play", async () => {
    const player = open({ autoplay: false });
    player.session.load(SOURCE);
    await vi.advanceTimersByTimeAsync(1000);
    expect(player.state().phase).toBe("ready");
    expect(player.engines).toHaveLength(0);
    player.session.play();
    await vi.advanceTimersByTimeAsync(0);
    expect(player.engine().asked).toContain(`load ${SOURCE.url}`);
    player.session.close();
  });

  it("begins with a rendition for the size of the picture, and with the pinned one after a reconnect", async () => {
    const player = open();
    await player.play();
    expect(player.engine().options.chooseStart(RENDITIONS)).toEqual({ start: 2, pinned: false, cap: 2 });
    player.session.setQuality(RENDITIONS[1] ?? null);
    expect(player.engine().asked).toContain("pin 1");
    player.session.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(player.engine().options.chooseStart(RENDITIONS)).toMatchObject({ start: 1, pinned: true });
    expect(
      findPinned(RENDITIONS, player.preferences.current.quality ?? { height: 0, frameRate: null, bitrate: 0 }),
    ).toBe(RENDITIONS[1]);
    player.session.close();
  });

  it("shows that a failed pin was let go, and asks for it again in calm", async () => {
    const player = open();
    await player.play();
    player.session.setQuality(RENDITIONS[1] ?? null);
    player.engine().automatic = true;
    player.engine().options.events.rendition?.(0);
    expect(player.state()).toMatchObject({ pinned: null, current: RENDITIONS[0] });
    await vi.advanceTimersByTimeAsync(31_000);
    expect(player.state().pinned).toBe(RENDITIONS[1]);
    expect(player.engine().asked.filter((asked) => asked === "pin 1")).toHaveLength(2);
    player.session.close();
  });

  it("starts afresh after a fault of the network, and counts the attempts", async () => {
    const player = open();
    await player.play();
    player.engine().options.events.fault(networkError());
    expect(player.state().failure).toMatchObject({ reason: "unreachable", attempt: 1 });
    expect(player.asks()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(player.engines).toHaveLength(2);
    expect(player.engines[0]?.asked.at(-1)).toBe("destroy");
    player.engine().options.events.fault(networkError());
    expect(player.state().failure).toMatchObject({ attempt: 2 });
    // What an engine says that was replaced counts no more.
    player.engines[0]?.options.events.fault(networkError(403));
    expect(player.state().phase).not.toBe("failed");
    player.session.close();
  });

  it("gives up in words, and starts again when asked to", async () => {
    const player = open();
    await player.play();
    player.engine().options.events.fault(networkError(403));
    expect(player.state()).toMatchObject({ phase: "failed", failure: { reason: "forbidden", retryAt: null } });
    player.session.play();
    await vi.advanceTimersByTimeAsync(0);
    expect(player.engines).toHaveLength(2);
    player.session.close();
  });

  it("stays paused when recovery restarts what the viewer paused", async () => {
    const player = open();
    await player.play();
    player.session.pause();
    player.engine().options.events.fault(networkError());
    await vi.advanceTimersByTimeAsync(1000);
    expect(player.video.paused).toBe(true);
    player.video.send("loadeddata");
    expect(player.state().phase).toBe("paused");
    player.session.close();
  });

  it("halts when dry, asks the channel why, and goes on with a cushion", async () => {
    const player = open();
    await player.play();
    player.video.currentTime = 10;
    player.video.send("waiting");
    expect(player.state().phase).toBe("waiting");
    expect(player.video.playbackRate).toBe(0);
    await vi.advanceTimersByTimeAsync(1100);
    expect(player.asks()).toBe(1);
    player.engine().edge = { ...EDGE, edge: 11.2, published: 11.2 };
    player.video.ranges = [[0, 11.2]];
    player.video.send("playing");
    await vi.advanceTimersByTimeAsync(250);
    expect(player.video.playbackRate).toBeGreaterThan(0);
    expect(player.session.statistics()).toMatchObject({ stalls: 1 });
    player.session.close();
  });

  it("crosses a gap as soon as there is enough behind it", async () => {
    const player = open();
    await player.play();
    player.video.currentTime = 10;
    player.video.send("waiting");
    player.engine().edge = { ...EDGE, edge: 13, published: 13 };
    player.video.ranges = [
      [0, 10],
      [12, 13],
    ];
    await vi.advanceTimersByTimeAsync(250);
    expect(player.video.currentTime).toBeCloseTo(12.02);
    player.session.close();
  });

  it("waits for an encoder that is gone, but not for an engine that is stuck", async () => {
    const player = open();
    await player.play();
    player.video.currentTime = 10;
    player.session.setSourceState("interrupted");
    player.video.send("waiting");
    await vi.advanceTimersByTimeAsync(25_000);
    expect(player.engines).toHaveLength(1);
    player.session.setSourceState("live");
    await vi.advanceTimersByTimeAsync(5000);
    expect(player.engines).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(player.engines).toHaveLength(2);
    player.session.close();
  });

  it("plays an ended source to its end and then waits for the next", async () => {
    const player = open();
    await player.play();
    player.session.setSourceState("ended");
    expect(player.state().phase).toBe("playing");
    player.video.send("waiting");
    expect(player.state().phase).toBe("ended");
    player.session.load({ ...SOURCE, streamId: "stream002" });
    await vi.advanceTimersByTimeAsync(0);
    expect(player.engines).toHaveLength(2);
    expect(player.state().phase).toBe("loading");
    player.session.close();
  });

  it("leaves the live edge by seeking back and returns on demand", async () => {
    const player = open();
    await player.play();
    player.session.seekBy(-5);
    expect(player.state().following).toBe(false);
    expect(player.video.currentTime).toBe(4);
    player.session.seekBy(-50);
    expect(player.video.currentTime).toBeCloseTo(0.1);
    player.session.goLive();
    expect(player.state().following).toBe(true);
    expect(player.video.currentTime).toBeCloseTo(9);
    player.session.seekTo(8.9);
    expect(player.state().following).toBe(true);
    player.session.close();
  });

  it("stays live over a short pause and not over a long one, for which it stops fetching", async () => {
    const player = open();
    await player.play();
    player.session.pause();
    await vi.advanceTimersByTimeAsync(500);
    expect(player.state().following).toBe(true);
    player.engine().edge = { ...EDGE, edge: 45, published: 45 };
    await vi.advanceTimersByTimeAsync(31_000);
    expect(player.state().following).toBe(false);
    expect(player.engine().asked).toContain("suspend");
    player.session.play();
    expect(player.engine().asked.at(-1)).toBe("resume");
    player.session.close();
  });

  it("skips a late begin within what is buffered", async () => {
    const player = open();
    player.session.load(SOURCE);
    await vi.advanceTimersByTimeAsync(0);
    player.engine().edge = { ...EDGE };
    player.video.currentTime = 8;
    player.video.ranges = [[7, 10]];
    player.video.send("playing");
    expect(player.video.currentTime).toBeCloseTo(9);
    player.session.close();
  });

  it("skips a late begin as soon as there is enough buffered, in the first moment only", async () => {
    const player = open();
    player.session.load(SOURCE);
    await vi.advanceTimersByTimeAsync(0);
    player.engine().edge = { ...EDGE };
    player.video.currentTime = 8;
    player.video.ranges = [[7, 8.5]];
    player.video.send("playing");
    expect(player.video.currentTime).toBeCloseTo(8);
    player.video.ranges = [[7, 10]];
    await vi.advanceTimersByTimeAsync(300);
    expect(player.video.currentTime).toBeCloseTo(9);
    await vi.advanceTimersByTimeAsync(1000);
    player.video.currentTime = 8;
    await vi.advanceTimersByTimeAsync(300);
    expect(player.video.currentTime).toBeCloseTo(8);
    player.session.close();
  });

  it("remembers volume and the measured bandwidth", async () => {
    const player = open();
    await player.play();
    player.session.loudness.change(-0.3);
    expect(player.preferences.current.volume).toBe(0.7);
    player.session.loudness.set(0);
    expect(player.state().muted).toBe(true);
    player.session.loudness.mute(false);
    expect(player.video.volume).toBe(0.7);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(player.preferences.current.bandwidth).toBe(8_000_000);
    player.session.close();
  });

  it("leaves nothing behind when closed, as often as it is closed", async () => {
    const player = open();
    await player.play();
    player.session.close();
    player.session.close();
    expect(player.engine().asked.filter((asked) => asked === "destroy")).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
    player.video.send("waiting");
    expect(player.state().phase).toBe("playing");
  });

  it("drops an engine that arrives after the session was closed", async () => {
    const player = open();
    player.session.load(SOURCE);
    player.session.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(player.engine().asked).toEqual(["destroy"]);
  });
});

import type { ChannelInfo } from "@klieg/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ClockOffset } from "../playback/clock-offset.ts";
import { FakeEngine } from "../playback/fake-engine.ts";
import { FakeVideo } from "../playback/fake-video.ts";
import { Preferences } from "../playback/preferences.ts";
import { stageOf } from "./stage.ts";
import { Viewer } from "./viewer.ts";

const EDGE = { edge: 10, published: 10, start: 0, holdBack: 1, partTarget: 0.333, targetDuration: 2, live: true };

function info(streamId: string | null, state: ChannelInfo["state"]): ChannelInfo {
  const hls = streamId === null || state === "starting" ? null : "/v1/channels/demo/live.m3u8";
  return {
    name: "demo",
    title: "Demo",
    live_stream_id: streamId,
    state,
    live_since: null,
    playback: { hls, dash: null, whep: null },
    default_playback: "hls",
    broadcast: null,
  };
}

function open() {
  let answer = info(null, null);
  const engines: FakeEngine[] = [];
  const video = new FakeVideo();
  const viewer = new Viewer({
    channel: "demo",
    api: { channel: async () => answer },
    preferences: new Preferences(null),
    clockOffset: new ClockOffset(),
    autoplay: true,
    startMuted: false,
    video: video.element,
    still: { width: 0, height: 0 } as HTMLCanvasElement,
    bridge: new FakeVideo().element,
    createEngine: async (options) => {
      const engine = new FakeEngine(options);
      engine.edge = EDGE;
      engines.push(engine);
      return engine;
    },
  });
  return {
    viewer,
    video,
    engines,
    /** The channel changes, and the page asks. */
    async becomes(streamId: string | null, state: ChannelInfo["state"]) {
      answer = info(streamId, state);
      viewer.watch.refresh();
      await vi.advanceTimersByTimeAsync(600);
    },
    shows() {
      video.currentTime = 9;
      video.ranges = [[0, 10]];
      video.send("loadeddata");
      video.send("playing");
    },
    stage: () => stageOf(viewer.watch.store.getState(), viewer.session.store.getState()),
  };
}

describe("viewer (PLY1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("location", { href: "https://host/watch/demo" });
    vi.spyOn(console, "warn").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("goes from off air to live, over an interruption, to the end and to the next broadcast without a reload", async () => {
    const page = open();
    await vi.advanceTimersByTimeAsync(0);
    expect(page.stage()).toBe("offline");

    await page.becomes("stream001", "starting");
    expect(page.stage()).toBe("starting");
    expect(page.engines).toHaveLength(0);

    await page.becomes("stream001", "live");
    expect(page.stage()).toBe("connecting");
    expect(page.engines[0]?.asked[0]).toBe("load https://host/v1/channels/demo/live.m3u8");
    page.shows();
    expect(page.stage()).toBe("playing");

    await page.becomes("stream001", "interrupted");
    expect(page.stage()).toBe("playing");
    page.video.currentTime = 10;
    page.video.send("waiting");
    expect(page.stage()).toBe("interrupted");

    await page.becomes("stream001", "live");
    page.shows();
    expect(page.stage()).toBe("playing");
    expect(page.engines).toHaveLength(1);

    await page.becomes(null, null);
    expect(page.stage()).toBe("playing");
    page.video.send("ended");
    await vi.advanceTimersByTimeAsync(600);
    expect(page.stage()).toBe("ended");

    await page.becomes("stream002", "live");
    expect(page.engines).toHaveLength(2);
    page.shows();
    expect(page.stage()).toBe("playing");
    page.viewer.close();
  });

  it("does not play a stream again that has ended, although the channel has not heard of its end yet", async () => {
    const page = open();
    await page.becomes("stream001", "live");
    page.shows();
    page.video.send("ended");
    await page.becomes("stream001", "live");
    expect(page.engines).toHaveLength(1);
    expect(page.stage()).toBe("ended");
    page.viewer.close();
  });

  it("leaves nothing behind when closed", async () => {
    const page = open();
    await page.becomes("stream001", "live");
    page.viewer.close();
    page.viewer.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(page.engines[0]?.asked.at(-1)).toBe("destroy");
  });
});

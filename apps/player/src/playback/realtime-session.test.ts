import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bridge } from "./bridge.ts";
import { ClockOffset } from "./clock-offset.ts";
import { FakeEngine } from "./fake-engine.ts";
import { FakeVideo } from "./fake-video.ts";
import { LiveSession } from "./live-session.ts";
import { Preferences } from "./preferences.ts";
import { FakeRealtime } from "./realtime/fake-realtime.ts";
import type { Source } from "./source.ts";

const SOURCE: Source = {
  streamId: "stream001",
  url: "https://host/live.m3u8",
  whep: "https://host/v1/whep/demo",
  defaultMode: "realtime",
};
const EDGE = { edge: 10, published: 10, start: 0, holdBack: 1, partTarget: 0.333, targetDuration: 2, live: true };
const MINUTE = 60_000;

function open(options: { policy?: FakeVideo["policy"]; defaultMode?: "hls" | "realtime" } = {}) {
  const video = new FakeVideo();
  video.policy = options.policy ?? "sound";
  const engines: FakeEngine[] = [];
  const links: FakeRealtime[] = [];
  const preferences = new Preferences(null);
  const session = new LiveSession({
    video: video.element,
    still: null,
    bridge: new Bridge(new FakeVideo().element),
    preferences,
    clockOffset: new ClockOffset(),
    askChannel: () => undefined,
    autoplay: true,
    startMuted: false,
    createEngine: async (engineOptions) => {
      const engine = new FakeEngine(engineOptions);
      engine.edge = EDGE;
      engines.push(engine);
      return engine;
    },
    createRealtime: async (realtimeOptions) => {
      const link = new FakeRealtime(realtimeOptions);
      links.push(link);
      return link;
    },
  });
  session.load({ ...SOURCE, defaultMode: options.defaultMode ?? "realtime" });
  return {
    video,
    engines,
    links,
    session,
    preferences,
    state: () => session.store.getState(),
    /** The element's first frame of whatever it was given. */
    shows() {
      video.currentTime = 9;
      video.ranges = [[0, 10]];
      video.send("loadeddata");
      video.send("playing");
    },
    link() {
      const last = links.at(-1);
      if (!last) throw new Error("no link yet");
      return last;
    },
    async passes(ms: number) {
      await vi.advanceTimersByTimeAsync(ms);
    },
  };
}

describe("real time in a live session (PLY1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "warn").mockReturnValue();
    vi.spyOn(console, "info").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("plays in real time by itself where the channel says so", async () => {
    const player = open();
    await player.passes(0);
    expect(player.link().asked).toEqual(["load https://host/v1/whep/demo"]);
    expect(player.state()).toMatchObject({ phase: "loading", mode: "hls", modes: { switching: true } });
    player.link().options.events.ready();
    player.shows();
    expect(player.link().asked.slice(1)).toEqual(["attach"]);
    await player.passes(300);
    expect(player.video.paused).toBe(false);
    expect(player.state()).toMatchObject({
      phase: "playing",
      mode: "realtime",
      latency: 0.2,
      window: null,
      modes: { offered: true, chosen: "realtime", switching: false, refusal: null },
    });
    expect(player.session.statistics()).toMatchObject({ protocol: "WebRTC", roundTrip: 0.04 });
    await player.passes(5000);
    expect(player.engines).toHaveLength(0);
    player.session.close();
    expect(player.link().asked.at(-1)).toBe("destroy");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("begins with low latency where real time takes its time, and hands over without a halt", async () => {
    const player = open();
    await player.passes(2000);
    expect(player.engines).toHaveLength(1);
    player.shows();
    expect(player.state()).toMatchObject({ phase: "playing", mode: "hls", modes: { switching: true } });
    player.link().options.events.ready();
    expect(player.engines[0]?.asked.at(-1)).toBe("destroy");
    // What the element goes through while it changes hands is no stall.
    expect(player.state()).toMatchObject({ phase: "playing", mode: "realtime" });
    player.shows();
    expect(player.session.statistics()).toMatchObject({ stalls: 0 });
    player.session.close();
  });

  it("falls back by itself, tells once, and tries again after minutes", async () => {
    const player = open();
    await player.passes(0);
    player.link().options.events.gaveUp("blocked");
    await player.passes(0);
    expect(player.engines).toHaveLength(1);
    player.shows();
    expect(player.state()).toMatchObject({ mode: "hls", notice: "blocked", modes: { refusal: "blocked" } });
    player.session.dismissNotice();
    await player.passes(2 * MINUTE);
    expect(player.links).toHaveLength(1);
    await player.passes(1.1 * MINUTE);
    expect(player.links).toHaveLength(2);
    player.link().options.events.gaveUp("blocked");
    expect(player.state()).toMatchObject({ phase: "playing", notice: null, modes: { switching: false } });
    expect(player.engines).toHaveLength(1);
    player.session.close();
  });

  it("falls back from a connection that is lost, and tries again when asked", async () => {
    const player = open();
    await player.passes(0);
    player.link().options.events.ready();
    player.shows();
    player.link().options.events.flowing(false);
    expect(player.state().phase).toBe("waiting");
    player.link().options.events.flowing(true);
    expect(player.state().phase).toBe("playing");
    player.link().options.events.gaveUp("lost");
    await player.passes(0);
    expect(player.links[0]?.asked.at(-1)).toBe("destroy");
    expect(player.state()).toMatchObject({ mode: "hls", phase: "loading", notice: "lost" });
    player.shows();
    player.session.setMode("realtime");
    await player.passes(0);
    expect(player.links).toHaveLength(2);
    expect(player.state()).toMatchObject({ notice: null, modes: { switching: true, refusal: null } });
    player.link().options.events.ready();
    player.shows();
    expect(player.state().mode).toBe("realtime");
    player.session.close();
  });

  it("goes over to low latency at the viewer's wish, with the old picture until the new one is there", async () => {
    const player = open();
    await player.passes(0);
    player.link().options.events.ready();
    player.shows();
    player.session.setMode("hls");
    await player.passes(0);
    expect(player.preferences.current.mode).toBe("hls");
    expect(player.link().asked.at(-1)).toBe("retreat");
    expect(player.state()).toMatchObject({ mode: "hls", phase: "loading", modes: { chosen: "hls" } });
    player.shows();
    expect(player.link().asked.at(-1)).toBe("destroy");
    await player.passes(10 * MINUTE);
    expect(player.links).toHaveLength(1);
    player.session.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves low latency alone unless real time is wanted, and takes it when the viewer does", async () => {
    const player = open({ defaultMode: "hls" });
    await player.passes(0);
    player.shows();
    await player.passes(1000);
    expect(player.links).toHaveLength(0);
    expect(player.state().modes).toMatchObject({ offered: true, chosen: "hls" });
    player.session.setMode("realtime");
    await player.passes(0);
    player.link().options.events.ready();
    player.shows();
    expect(player.state().mode).toBe("realtime");
    player.session.close();
  });

  it("is not offered what the channel does not have, nor brought up for an encoder that is gone", async () => {
    const player = open();
    await player.passes(0);
    player.link().options.events.gaveUp("unavailable");
    await player.passes(0);
    player.shows();
    player.session.offer({ whep: null, defaultMode: "realtime" });
    expect(player.state().modes.offered).toBe(false);
    await player.passes(20 * MINUTE);
    expect(player.links).toHaveLength(1);
    player.session.setSourceState("interrupted");
    player.session.offer({ whep: SOURCE.whep, defaultMode: "realtime" });
    await player.passes(1000);
    expect(player.links).toHaveLength(1);
    player.session.setSourceState("live");
    await player.passes(1000);
    expect(player.links).toHaveLength(2);
    player.session.close();
  });

  it("does not disturb a pause: what came up meanwhile is taken when the viewer goes on", async () => {
    const player = open();
    await player.passes(2000);
    player.shows();
    player.session.pause();
    player.link().options.events.ready();
    expect(player.state()).toMatchObject({ mode: "hls", phase: "paused" });
    player.session.play();
    await player.passes(0);
    player.shows();
    expect(player.state()).toMatchObject({ mode: "realtime", phase: "playing" });
    player.session.close();
  });

  it("receives nothing over a long pause, and goes on in the present", async () => {
    const player = open();
    await player.passes(0);
    player.link().options.events.ready();
    player.shows();
    player.session.pause();
    await player.passes(31_000);
    expect(player.link().asked).toContain("suspend");
    player.session.play();
    expect(player.link().asked).toContain("resume");
    player.session.seekBy(-5);
    player.session.goLive();
    expect(player.state().following).toBe(true);
    player.session.close();
  });

  it("asks for a gesture in real time too, and keeps the sound that the policy leaves it", async () => {
    const muted = open({ policy: "muted" });
    await muted.passes(0);
    muted.link().options.events.ready();
    muted.shows();
    await muted.passes(0);
    expect(muted.state()).toMatchObject({ withheld: "sound", muted: true, mode: "realtime" });
    muted.session.close();
    const blocked = open({ policy: "nothing" });
    await blocked.passes(0);
    blocked.link().options.events.ready();
    await blocked.passes(0);
    expect(blocked.state()).toMatchObject({ withheld: "playback", phase: "paused" });
    blocked.session.close();
  });

  it("ends with the broadcast, and plays the next one in real time", async () => {
    const player = open();
    await player.passes(0);
    player.link().options.events.ready();
    player.shows();
    player.video.send("ended");
    expect(player.state().phase).toBe("playing");
    player.session.setSourceState("ended");
    expect(player.state().phase).toBe("ended");
    expect(player.link().asked.at(-1)).toBe("destroy");
    player.session.load({ ...SOURCE, streamId: "stream002" });
    await player.passes(0);
    expect(player.links).toHaveLength(2);
    player.session.close();
  });

  it("leaves nothing behind when it is closed while real time comes up", async () => {
    const player = open();
    player.session.close();
    await player.passes(0);
    expect(player.link().asked).toEqual(["destroy"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

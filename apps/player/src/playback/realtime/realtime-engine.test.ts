import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bridge } from "../bridge.ts";
import { FakeVideo } from "../fake-video.ts";
import type { PinnedQuality, Rendition } from "../rendition.ts";
import { FakeDoor } from "./fake-door.ts";
import { RealtimeEngine } from "./realtime-engine.ts";

const layer = (spatial_layer: number, bitrate: number, rid: string) => ({ rid, spatial_layer, bitrate });
const SIMULCAST = {
  state: "active",
  media: [
    {
      kind: "video",
      layers: [layer(1, 2_000_000, "f"), layer(0, 200_000, "q")],
      current: { spatial_layer: 1, temporal_layer: 0 },
    },
  ],
};

function open(pinned: PinnedQuality | null = null) {
  const door = new FakeDoor();
  const video = new FakeVideo();
  const bridge = new FakeVideo();
  bridge.readyState = 2;
  const told: string[] = [];
  let renditions: readonly Rendition[] = [];
  const engine = new RealtimeEngine(
    {
      video: video.element,
      bridge: new Bridge(bridge.element),
      sourceState: "live",
      pinned: () => pinned,
      events: {
        ready: () => told.push("ready"),
        attached: () => told.push("attached"),
        flowing: (flows) => told.push(flows ? "flows" : "silent"),
        ended: () => told.push("ended"),
        renditions: (list) => {
          renditions = list;
        },
        rendition: (index) => told.push(`rendition ${index}`),
        gaveUp: (refusal) => told.push(`gave up: ${refusal}`),
      },
    },
    door.means,
  );
  engine.load("https://host/v1/whep/demo");
  return {
    door,
    engine,
    video,
    bridge,
    told,
    renditions: () => renditions,
    source: () => (video as { srcObject?: unknown }).srcObject ?? null,
    beneath: () => (bridge as { srcObject?: unknown }).srcObject ?? null,
    shows(width = 1280, height = 720) {
      video.videoWidth = width;
      video.videoHeight = height;
      video.send("loadeddata");
    },
    async passes(ms: number, { media = true } = {}) {
      for (let at = 0; at < ms; at += 100) {
        if (media && door.peers.length > 0) door.peer.packets += 3;
        await vi.advanceTimersByTimeAsync(100);
      }
    },
  };
}

describe("the real-time engine (PLY1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("MediaStream", class {});
    vi.spyOn(console, "info").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("comes up beneath the element, and takes it when told to", async () => {
    const player = open();
    await player.passes(200);
    expect(player.told).toEqual(["ready"]);
    expect(player.source()).toBeNull();
    expect(player.beneath()).not.toBeNull();
    player.engine.attach();
    expect(player.source()).toBe(player.beneath());
    player.shows();
    expect(player.beneath()).toBeNull();
    expect(player.told).toEqual(["ready", "attached", "rendition 0"]);
    expect(player.renditions()).toMatchObject([{ index: 0, height: 720 }]);
    player.engine.destroy();
    player.engine.destroy();
    expect(player.source()).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives the element away and goes on beneath it, silently", async () => {
    const player = open();
    await player.passes(200);
    player.engine.attach();
    player.shows();
    const stream = player.source();
    player.engine.retreat();
    expect(player.source()).toBeNull();
    expect(player.beneath()).toBe(stream);
    expect(player.bridge.muted).toBe(true);
    await player.passes(10_000, { media: false });
    expect(player.told.filter((word) => word.startsWith("gave") || word === "silent")).toEqual([]);
    player.engine.destroy();
    expect(player.beneath()).toBeNull();
  });

  it("puts the picture of another session on screen once it is there, and holds on to the layer", async () => {
    const player = open();
    player.door.state = SIMULCAST;
    await player.passes(500);
    player.engine.attach();
    player.shows();
    player.engine.pin(0);
    await player.passes(100);
    expect(player.door.requests).toContain("POST /session/1/layers");
    expect(player.door.bodies[player.door.requests.indexOf("POST /session/1/layers")]).toBe('{"rid":"q"}');
    player.door.events.at(-1)?.send("reconnect", { reason: "source" });
    await player.passes(200);
    expect(player.told.filter((word) => word === "attached")).toHaveLength(2);
    expect(player.door.requests).toContain("POST /session/2/layers");
    expect(player.engine).toMatchObject({ pinned: 0, automatic: false });
    player.engine.destroy();
  });

  it("begins with the layer that suits what the viewer pinned before", async () => {
    const player = open({ height: 360, frameRate: null, bitrate: 500_000 });
    player.door.state = SIMULCAST;
    await player.passes(500);
    expect(player.engine.pinned).toBe(0);
    expect(player.door.requests).toContain("POST /session/1/layers");
    player.engine.attach();
    player.shows(320, 180);
    player.door.events.at(-1)?.send("layers", { ...SIMULCAST.media[0], current: { spatial_layer: 0 } });
    expect(player.renditions()).toMatchObject([{ rank: "high" }, { rank: "low", height: 180 }]);
    expect(player.told.at(-1)).toBe("rendition 0");
    player.engine.destroy();
  });

  it("holds frames back once the picture freezes", async () => {
    const player = open();
    await player.passes(1000);
    expect(player.door.peer.receivers.map(({ jitterBufferTarget }) => jitterBufferTarget)).toEqual([0, 0]);
    player.door.peer.freezes = 1;
    await player.passes(1000);
    expect(player.door.peer.receivers.map(({ jitterBufferTarget }) => jitterBufferTarget)).toEqual([40, 40]);
    expect(player.engine.statistics()).toMatchObject({ freezes: 1, jitterBufferTarget: 40 });
    player.engine.destroy();
  });

  it("has nothing sent while it is suspended, or neither seen nor heard", async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "visible", pictureInPictureElement: null });
    vi.stubGlobal("document", page);
    const look = (visibilityState: string) => {
      page.visibilityState = visibilityState;
      page.dispatchEvent(new Event("visibilitychange"));
    };
    const player = open();
    const asked = () => player.door.requests.filter((request) => /pause|resume/.test(request));
    await player.passes(500);
    player.engine.attach();
    player.shows();
    player.engine.suspend();
    await player.passes(8000, { media: false });
    player.engine.resume();
    await player.passes(500);
    expect(asked()).toEqual(["POST /session/1/pause", "POST /session/1/resume"]);
    look("hidden");
    await player.passes(20_000);
    expect(asked()).toHaveLength(2);
    expect(player.door.events.at(-1)?.readyState).toBe(2);
    player.video.muted = true;
    await player.passes(15_100);
    expect(asked()).toHaveLength(3);
    look("visible");
    await player.passes(500);
    expect(asked().at(-1)).toBe("POST /session/1/resume");
    expect(player.told).not.toContain("silent");
    player.engine.destroy();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tells of the end of the broadcast, and of silence", async () => {
    const player = open();
    await player.passes(500);
    player.engine.attach();
    player.door.events.at(-1)?.send("ended", { reason: "over" });
    await player.passes(1600, { media: false });
    await player.passes(500);
    expect(player.told).toEqual(expect.arrayContaining(["ended", "silent", "flows"]));
    player.engine.destroy();
  });
});

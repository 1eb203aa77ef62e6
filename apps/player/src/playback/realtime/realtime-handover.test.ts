import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bridge } from "../bridge.ts";
import { FakeVideo } from "../fake-video.ts";
import { FakeRealtime } from "./fake-realtime.ts";
import { RealtimeHandover } from "./realtime-handover.ts";

const URL = "https://host/v1/whep/demo";

function open() {
  const engines: FakeRealtime[] = [];
  const told: string[] = [];
  let fails = false;
  const handover = new RealtimeHandover({
    video: new FakeVideo().element,
    bridge: new Bridge(new FakeVideo().element),
    pinned: () => null,
    create: async (options) => {
      if (fails) throw new TypeError("no such chunk");
      const engine = new FakeRealtime(options);
      engines.push(engine);
      return engine;
    },
    events: {
      ready: () => told.push("ready"),
      refused: (refusal) => told.push(`refused: ${refusal}`),
      lost: (refusal) => told.push(`lost: ${refusal}`),
      attached: () => told.push("attached"),
      flowing: (flows) => told.push(`flowing ${flows}`),
      ended: () => told.push("ended"),
      renditions: () => told.push("renditions"),
      rendition: (index) => told.push(`rendition ${index}`),
    },
  });
  return { handover, engines, told, fail: () => (fails = true) };
}

describe("handing the element over (PLY1)", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "warn").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("brings one engine up at a time, and gives it away once it is ready", async () => {
    const { handover, engines, told } = open();
    handover.bring(URL, "live");
    handover.bring(URL, "live");
    await vi.advanceTimersByTimeAsync(0);
    expect(engines).toHaveLength(1);
    expect(handover.take()).toBeNull();
    engines[0]?.options.events.ready();
    expect(handover.take()).toBe(engines[0]);
    expect(handover.coming).toBe(false);
    engines[0]?.options.events.flowing(false);
    engines[0]?.options.events.gaveUp("lost");
    expect(told).toEqual(["ready", "flowing false", "lost: lost"]);
  });

  it("tells of an engine that will not come, or whose code cannot be had", async () => {
    const { handover, engines, told, fail } = open();
    handover.bring(URL, "live");
    await vi.advanceTimersByTimeAsync(0);
    engines[0]?.options.events.gaveUp("blocked");
    expect(engines[0]?.asked.at(-1)).toBe("destroy");
    expect(handover.coming).toBe(false);
    fail();
    handover.bring(URL, "live");
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(["refused: blocked", "refused: unavailable"]);
  });

  it("destroys what is abandoned, be it on its way still", async () => {
    const { handover, engines, told } = open();
    handover.bring(URL, "live");
    handover.abandon();
    await vi.advanceTimersByTimeAsync(0);
    expect(engines[0]?.asked).toEqual(["destroy"]);
    handover.bring(URL, "live");
    await vi.advanceTimersByTimeAsync(0);
    handover.abandon();
    expect(engines[1]?.asked.at(-1)).toBe("destroy");
    expect(told).toEqual([]);
  });

  it("keeps an engine that leaves in sight until the next picture, and no longer than it can be waited for", async () => {
    const { handover, engines } = open();
    for (const settled of [true, false]) {
      handover.bring(URL, "live");
      await vi.advanceTimersByTimeAsync(0);
      const engine = engines.at(-1);
      engine?.options.events.ready();
      handover.take();
      if (engine) handover.retire(engine);
      expect(engine?.asked.at(-1)).toBe("retreat");
      if (settled) handover.settle();
      else await vi.advanceTimersByTimeAsync(8000);
      expect(engine?.asked.at(-1)).toBe("destroy");
    }
    handover[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });
});

import { IDLE_BROADCAST, KliegError, type StudioEvent, type StudioSettings } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import { EngineStore } from "./engine-store.ts";
import { EngineEnd, WELCOME } from "./testing/engine-end.ts";

const settings: StudioSettings = {
  welcomed: false,
  theme: "dark",
  last_title: "",
  last_category: "",
  last_visibility: "public",
  recording_folder: "/videos",
  record_with_broadcast: false,
  replay_seconds: 0,
  keys: {},
  global_keys: {},
  monitor_device: "",
};
const health: StudioEvent = {
  event: "health",
  at: 1,
  destinations: [],
  server: [],
  program: { frame_rate: 30, video_bitrate: 1, audio_bitrate: 1 },
};

describe("the mirror of the engine (STU4)", () => {
  test("shows what was told, and when figures came", () => {
    const engine = new EngineEnd();
    using store = new EngineStore(engine, () => 5000);
    engine.become({ state: "open", welcome: WELCOME });
    engine.tell({ event: "settings", settings });
    engine.tell({ event: "broadcast", broadcast: { ...IDLE_BROADCAST, state: "live", title: "Lamps" } });
    engine.tell(health);
    engine.tell({ event: "video_bitrate", bitrate: 4_200_000, reason: "queue" });
    expect(store.now).toMatchObject({
      linked: true,
      welcome: WELCOME,
      settings,
      broadcast: { state: "live", title: "Lamps" },
      health,
      healthAt: 5000,
      bitrate: { asked: 4_200_000, reason: "queue" },
    });
  });

  test("keeps no figures of a link that is gone, or of a show that is over", () => {
    const engine = new EngineEnd();
    using store = new EngineStore(engine);
    engine.become({ state: "open", welcome: WELCOME });
    engine.tell({ event: "broadcast", broadcast: { ...IDLE_BROADCAST, state: "live" } });
    engine.tell(health);
    engine.become({ state: "lost" });
    expect(store.now).toMatchObject({ linked: false, health: undefined, broadcast: { state: "live" } });
    engine.become({ state: "open", welcome: WELCOME });
    engine.tell(health);
    engine.tell({ event: "video_bitrate", bitrate: 1, reason: "loss" });
    engine.tell({ event: "broadcast", broadcast: IDLE_BROADCAST });
    expect(store.now).toMatchObject({ health: undefined, bitrate: undefined });
  });

  test("changes settings at once, and takes back what the engine refused and nothing else", async () => {
    const engine = new EngineEnd();
    using store = new EngineStore(engine);
    engine.tell({ event: "settings", settings });
    engine.answer = () => {
      engine.tell({ event: "settings", settings: { ...settings, theme: "light", replay_seconds: 30 } });
      throw new KliegError("storage_unavailable", "The disk is full.");
    };
    const change = store.changeSettings({ theme: "system" });
    await expect(change).rejects.toThrow("The disk is full.");
    expect(store.now.settings).toMatchObject({ theme: "dark", replay_seconds: 30 });
    engine.answer = (_, input) => ({ settings: { ...settings, ...(input as { settings: object }).settings } });
    await store.changeSettings({ theme: "system" });
    expect(store.now.settings?.theme).toBe("system");
  });

  test("knows which destinations have a key, and never the key", async () => {
    const engine = new EngineEnd();
    using store = new EngineStore(engine);
    engine.answer = () => ({ secrets: [{ holder: "home", stream_key: true, passphrase: false }] });
    await store.setSecret("home", "stream_key", "hush");
    expect(store.hasKey("home")).toBe(true);
    expect(store.hasKey("other")).toBe(false);
    expect(JSON.stringify(store.now)).not.toContain("hush");
  });

  test("listens no more once it is disposed", () => {
    const engine = new EngineEnd();
    const store = new EngineStore(engine);
    store[Symbol.dispose]();
    expect(engine.listeners).toBe(0);
  });
});

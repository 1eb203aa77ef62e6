import {
  IDLE_BROADCAST,
  KliegError,
  type StudioAnswerOf,
  type StudioEvent,
  type StudioSettings,
} from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import type { LinkState } from "../link/studio-link.ts";
import { type EngineLink, EngineStore } from "./engine-store.ts";

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
const welcome: StudioAnswerOf<"hello"> = {
  protocol: 1,
  version: "0.1.0",
  host: "web",
  platform: "linux",
  cores: 4,
  ffmpeg: null,
  secrets: "file",
};
const health: StudioEvent = {
  event: "health",
  at: 1,
  destinations: [],
  server: [],
  program: { frame_rate: 30, video_bitrate: 1, audio_bitrate: 1 },
};

/** The engine's end: tells events, and answers as the test says. */
class EngineEnd implements EngineLink {
  readonly #listeners = new Set<(event: StudioEvent) => void>();
  readonly #stateListeners = new Set<(state: LinkState) => void>();
  state: LinkState = { state: "connecting" };
  answer: (type: string, input: unknown) => unknown = () => ({});

  // The answers' types are the test's to get right.
  async request<T>(type: string, input: unknown): Promise<T> {
    return this.answer(type, input) as T;
  }

  onEvent(listener: (event: StudioEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  onState(listener: (state: LinkState) => void): Disposable {
    this.#stateListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#stateListeners.delete(listener) };
  }

  become(state: LinkState): void {
    this.state = state;
    for (const listener of this.#stateListeners) listener(state);
  }

  tell(event: StudioEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get listeners(): number {
    return this.#listeners.size + this.#stateListeners.size;
  }
}

describe("the mirror of the engine (STU4)", () => {
  test("shows what was told, and when figures came", () => {
    const engine = new EngineEnd();
    using store = new EngineStore(engine, () => 5000);
    engine.become({ state: "open", welcome });
    engine.tell({ event: "settings", settings });
    engine.tell({ event: "broadcast", broadcast: { ...IDLE_BROADCAST, state: "live", title: "Lamps" } });
    engine.tell(health);
    engine.tell({ event: "video_bitrate", bitrate: 4_200_000, reason: "queue" });
    expect(store.now).toMatchObject({
      linked: true,
      welcome,
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
    engine.become({ state: "open", welcome });
    engine.tell({ event: "broadcast", broadcast: { ...IDLE_BROADCAST, state: "live" } });
    engine.tell(health);
    engine.become({ state: "lost" });
    expect(store.now).toMatchObject({ linked: false, health: undefined, broadcast: { state: "live" } });
    engine.become({ state: "open", welcome });
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

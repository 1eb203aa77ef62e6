import { describe, expect, it } from "vitest";
import { Preferences } from "./preferences.ts";

function storage(stored: string | null = null) {
  const items = new Map<string, string>(stored === null ? [] : [["klieg.player", stored]]);
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  };
}

describe("preferences", () => {
  it("come back on the next visit", () => {
    const shared = storage();
    const quality = { height: 720, frameRate: 30, bitrate: 3_000_000 };
    new Preferences(shared).update({ volume: 0.4, muted: true, quality, bandwidth: 8_000_000, mode: "realtime" });
    expect(new Preferences(shared).current).toEqual({
      volume: 0.4,
      muted: true,
      quality,
      bandwidth: 8_000_000,
      mode: "realtime",
    });
  });

  it.each(["not json", "null", "[]", '{"volume":7,"bandwidth":"x","quality":{"height":-1},"mode":"warp"}'])(
    "fall back to sound defaults when storage holds %s",
    (stored) =>
      expect(new Preferences(storage(stored)).current).toEqual({
        volume: 1,
        muted: false,
        quality: null,
        bandwidth: null,
        mode: null,
      }),
  );

  it("last as long as the page where there is no storage", () => {
    const preferences = new Preferences(null);
    preferences.update({ volume: 0.2 });
    expect(preferences.current.volume).toBe(0.2);
  });
});

import { type BroadcastState, IDLE_BROADCAST, IDLE_RECORDING, IDLE_REPLAY } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import type { Destination } from "../../document/destination.ts";
import { addItem } from "../../document/edit.ts";
import { newDocument } from "../../document/studio-document.ts";
import { programWays } from "./program-ways.ts";
import { checkStart, localTime, timeOfLocal } from "./start-check.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const home: Destination = {
  id: "home",
  name: "Home",
  enabled: true,
  kind: "klieg",
  url: "http://localhost:8080",
  channel: "",
  protocol: "srt",
};
const web: Destination = { ...home, id: "web", name: "Web", protocol: "whip" };
const bare = newDocument("Scene");
const withSource = {
  ...bare,
  sources: [{ id: "c", name: "c", kind: "colour", colour: "#ffffff", filters: [] }],
} as const;
const show = addItem(
  { ...withSource, sources: [...withSource.sources], destinations: [home] } as never,
  bare.program,
  "c",
);
const key = () => true;

describe("before a broadcast begins (STU3)", () => {
  test("nothing stands in its way where there is somewhere to go and a key", () => {
    expect(checkStart(show, key, undefined, NOW)).toEqual({ obstacle: undefined, warning: undefined });
  });

  test("says what is missing", () => {
    expect(checkStart({ ...show, destinations: [] }, key, undefined, NOW).obstacle).toMatch(/at least one/);
    expect(checkStart({ ...show, destinations: [{ ...home, enabled: false }] }, key, undefined, NOW).obstacle).toMatch(
      /at least one/,
    );
    expect(checkStart(show, () => false, undefined, NOW).obstacle).toBe("Home has no key yet.");
    const srt: Destination = { id: "s", name: "S", enabled: true, kind: "srt", url: "srt://localhost:9000" };
    expect(checkStart({ ...show, destinations: [srt] }, () => false, undefined, NOW).obstacle).toBeUndefined();
    expect(checkStart(bare, key, undefined, NOW).warning).toMatch(/empty/);
    expect(checkStart(show, key, undefined, NOW, true).obstacle).toMatch(/^A browser cannot send to Home/);
    expect(checkStart({ ...show, destinations: [web] }, key, undefined, NOW, true).obstacle).toBeUndefined();
  });

  test("holds a planned start to the next two weeks", () => {
    expect(checkStart(show, key, NOW + 60_000, NOW).obstacle).toBeUndefined();
    expect(checkStart(show, key, NOW - 1, NOW).obstacle).toMatch(/over/);
    expect(checkStart(show, key, Number.NaN, NOW).obstacle).toMatch(/over/);
    expect(checkStart(show, key, NOW + 15 * 24 * 3600_000, NOW).obstacle).toMatch(/two weeks/);
    expect(timeOfLocal(localTime(NOW))).toBe(NOW);
  });
});

describe("which ways the program goes (STU3)", () => {
  const state = (id: string, now: BroadcastState["destinations"][number]["state"]) => ({
    id,
    state: now,
    since: NOW,
    attempt: 0,
    next_attempt_at: null,
    problem: null,
    stream_id: null,
    watch_url: null,
  });
  const idle = { broadcast: IDLE_BROADCAST, recording: IDLE_RECORDING, replay: IDLE_REPLAY };
  const live = (...destinations: BroadcastState["destinations"]) => ({
    ...idle,
    broadcast: { ...IDLE_BROADCAST, state: "live" as const, destinations },
  });

  test("none while nobody needs it", () => {
    expect(programWays(idle, [home, web])).toBeUndefined();
    expect(programWays(live(state("home", "stopped")), [home, web])).toBeUndefined();
  });

  test("to the engine for SRT, from the page for WebRTC", () => {
    expect(programWays(live(state("home", "waiting")), [home, web])).toEqual({ engine: true, whip: [] });
    expect(programWays(live(state("web", "waiting")), [home, web])).toEqual({ engine: false, whip: ["web"] });
    const both = live(state("home", "reconnecting"), state("web", "live"));
    expect(programWays(both, [home, web])).toEqual({ engine: true, whip: ["web"] });
  });

  test("to the engine for a recording, and a replay that is kept ready", () => {
    const recording = { ...IDLE_RECORDING, state: "recording" } as const;
    expect(programWays({ ...idle, recording }, [])).toEqual({ engine: true, whip: [] });
    expect(programWays({ ...idle, replay: { ...IDLE_REPLAY, seconds: 30 } }, [])).toEqual({ engine: true, whip: [] });
    expect(programWays({ ...live(state("web", "live")), recording }, [web])).toEqual({ engine: true, whip: ["web"] });
  });
});

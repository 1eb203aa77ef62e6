import { ManualClock } from "@klieg/base";
import { type BroadcastState, KliegError } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import type { Destination } from "../../document/destination.ts";
import { DEFAULT_ENCODING } from "../../document/encoding.ts";
import { ProgramFeed } from "../program/program-feed.ts";
import { configFrame, pictureFrame } from "../testing/program-frames.ts";
import { Broadcast, type BroadcastPlan } from "./broadcast.ts";
import type { KliegDetails, KliegDoor } from "./broadcast-ports.ts";

/** By WHIP, so that nothing is sent from here. */
const WHIP: Destination = {
  id: "home",
  name: "Home",
  enabled: true,
  kind: "klieg",
  url: "https://klieg.example",
  channel: "demo",
  protocol: "whip",
};

const PLAN: BroadcastPlan = {
  title: "A show",
  category: "Tests",
  visibility: "public",
  preview: true,
  public_at: null,
  destinations: [WHIP, { ...WHIP, id: "off", enabled: false }],
  encoding: DEFAULT_ENCODING,
};

class Door implements KliegDoor {
  readonly said: (string | Partial<KliegDetails>)[] = [];
  refuses: KliegError | undefined;

  async start(_destination: unknown, key: string, details: KliegDetails) {
    if (this.refuses !== undefined) throw this.refuses;
    this.said.push(`start ${key}`, details);
    return { streamId: "abcdefgh1234", watchUrl: "https://klieg.example/secret", srt: "srt://x:1", whip: "https://w" };
  }

  async change(_destination: unknown, _key: string, streamId: string, details: Partial<KliegDetails>) {
    if (this.refuses !== undefined) throw this.refuses;
    this.said.push(`change ${streamId}`, details);
    return { watchUrl: "https://klieg.example/watch/demo" };
  }

  async stop(_destination: unknown, _key: string, streamId: string) {
    this.said.push(`stop ${streamId}`);
    if (this.refuses !== undefined) throw this.refuses;
  }
}

class Bench implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly feed = new ProgramFeed({ clock: this.clock, ffmpeg: undefined, holdMs: 5000 });
  readonly door = new Door();
  readonly states: BroadcastState["state"][] = [];
  readonly notices: string[] = [];
  readonly broadcast = new Broadcast({
    clock: this.clock,
    feed: this.feed,
    secrets: async () => "key",
    klieg: this.door,
  });

  constructor() {
    this.broadcast.events.on("state", ({ state }) => {
      if (this.states.at(-1) !== state) this.states.push(state);
    });
    this.broadcast.events.on("notice", ({ message }) => this.notices.push(message));
  }

  async live(): Promise<void> {
    await this.broadcast.openStream("home", AbortSignal.timeout(1000));
    this.broadcast.reportWhip("home", "live");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broadcast.close();
    await this.feed.close();
    expect(this.clock.pending).toBe(0);
  }
}

describe("STU3: a broadcast", () => {
  test("in preview, then public, then over: its backend is told each time", async () => {
    await using bench = new Bench();
    const { broadcast, door, clock } = bench;
    expect(broadcast.start(PLAN)).toMatchObject({ state: "starting", started_at: null, title: "A show" });
    expect(broadcast.state.destinations.map(({ id, state }) => [id, state])).toEqual([["home", "waiting"]]);
    await bench.live();
    expect(broadcast.state).toMatchObject({ state: "preview", started_at: clock.wall(), live_at: null });
    expect(broadcast.state.destinations[0]).toMatchObject({
      state: "live",
      stream_id: "abcdefgh1234",
      watch_url: "https://klieg.example/secret",
    });
    clock.advance(60_000);
    await broadcast.goPublic();
    expect(broadcast.state).toMatchObject({ state: "live", live_at: clock.wall(), started_at: clock.wall() - 60_000 });
    expect(broadcast.state.destinations[0]?.watch_url).toBe("https://klieg.example/watch/demo");
    await broadcast.change({ title: "Another" });
    await broadcast.stop();
    const details = { title: "A show", category: "Tests", visibility: "public", preview: true, public_at: null };
    expect(door.said).toEqual([
      "start key",
      details,
      "change abcdefgh1234",
      { preview: false, public_at: null },
      "change abcdefgh1234",
      { title: "Another" },
      "stop abcdefgh1234",
    ]);
    expect(bench.states).toEqual(["starting", "preview", "live", "stopping", "idle"]);
    expect(broadcast.state).toMatchObject({ state: "idle", destinations: [], started_at: null });
  });

  test("a scheduled one becomes public by itself", async () => {
    await using bench = new Bench();
    const at = bench.clock.wall() + 90_000;
    bench.broadcast.start({ ...PLAN, preview: false, public_at: at });
    await bench.live();
    bench.clock.advance(89_000);
    expect(bench.broadcast.state).toMatchObject({ state: "preview", public_at: at });
    bench.clock.advance(2000);
    expect(bench.broadcast.state).toMatchObject({ state: "live", public_at: null });
  });

  test("one at a time, and not to nowhere", async () => {
    await using bench = new Bench();
    const refuses = (plan: BroadcastPlan, code: string) =>
      expect(() => bench.broadcast.start(plan)).toThrow(expect.objectContaining({ code }));
    refuses({ ...PLAN, destinations: [{ ...WHIP, enabled: false }] }, "bad_request");
    bench.broadcast.start(PLAN);
    refuses(PLAN, "conflict");
    expect(() => bench.broadcast.retry("off")).toThrow(expect.objectContaining({ code: "not_found" }));
    await bench.broadcast.stop();
    await expect(bench.broadcast.goPublic()).rejects.toMatchObject({ code: "stream_not_live" });
  });

  test("a backend that cannot be told is said, and does not keep the show from ending", async () => {
    await using bench = new Bench();
    bench.broadcast.start(PLAN);
    await bench.live();
    bench.door.refuses = new KliegError("unreachable", "Nobody there.");
    await expect(bench.broadcast.change({ title: "Another" })).rejects.toMatchObject({ code: "unreachable" });
    await bench.broadcast.stop();
    expect(bench.broadcast.state.state).toBe("idle");
    expect(bench.notices).toEqual(["Nobody there."]);
  });

  test("ends when its page does not come back and nothing is left to show", async () => {
    await using bench = new Bench();
    // One whose address is none: it fails at once, and nothing is sent from here.
    const failing: Destination = { id: "srt", name: "SRT", enabled: true, kind: "srt", url: "srt://nowhere" };
    bench.broadcast.start({ ...PLAN, destinations: [WHIP, failing] });
    await bench.live();
    const source = bench.feed.openSource();
    source.push(configFrame());
    const failed = bench.broadcast.events.once("state", {
      accept: ({ destinations }) => destinations[1]?.state === "failed",
    });
    source.push(pictureFrame(0, true));
    await failed;
    source.close();
    bench.clock.advance(4000);
    expect(bench.broadcast.state.state).toBe("preview");
    expect(bench.broadcast.state.destinations[1]).toMatchObject({ state: "failed", problem: { code: "bad_request" } });
    bench.clock.advance(2000);
    await bench.broadcast.stop();
    expect(bench.states.at(-1)).toBe("idle");
    expect(bench.notices).toEqual([expect.stringContaining("did not come back")]);
  });

  test("one that its page sends by itself does not end with a program that nobody here wants", async () => {
    await using bench = new Bench();
    bench.broadcast.start(PLAN);
    await bench.live();
    const source = bench.feed.openSource();
    source.push(configFrame());
    source.push(pictureFrame(0, true));
    source.close();
    expect(bench.feed.state.state).toBe("none");
    expect(bench.broadcast.state.state).toBe("preview");
    expect(bench.notices).toEqual([]);
  });
});

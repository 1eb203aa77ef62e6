import { ManualClock } from "@klieg/base";
import type { AccessUnit, Track } from "@klieg/media";
import { describe, expect, test } from "vitest";
import { configFrame, pictureFrame, soundConfigFrame, soundFrame } from "../testing/program-frames.ts";
import { ProgramFeed, type ProgramSource } from "./program-feed.ts";
import type { ProgramReader } from "./program-reader.ts";

class Reader implements ProgramReader {
  readonly tracks: Track[] = [];
  readonly units: AccessUnit[] = [];
  removed: unknown;
  failsAt = Number.POSITIVE_INFINITY;

  onTrack(track: Track): void {
    this.tracks.push(track);
  }

  onAccessUnit(unit: AccessUnit): void {
    if (this.units.length === this.failsAt) throw new Error("too much for this reader");
    this.units.push(unit);
  }

  onRemoved(error: unknown): void {
    this.removed = error;
  }

  of(kind: "video" | "audio"): AccessUnit[] {
    return this.units.filter(({ track }) => track.kind === kind);
  }
}

class Bench {
  readonly clock = new ManualClock();
  readonly feed: ProgramFeed;
  readonly states: string[] = [];
  keyframesWanted = 0;

  constructor(holdMs?: number) {
    this.feed = new ProgramFeed({ clock: this.clock, ffmpeg: undefined, ...(holdMs === undefined ? {} : { holdMs }) });
    this.feed.events.on("state", ({ state }) => this.states.push(state));
    this.feed.events.on("keyframe_wanted", () => {
      this.keyframesWanted += 1;
    });
  }

  /** A page opens, and configures both tracks. */
  open(): ProgramSource {
    const source = this.feed.openSource();
    source.push(configFrame());
    source.push(soundConfigFrame());
    return source;
  }

  /** `count` pictures of 40 ms, each with its sound, the first a keyframe; timestamps from `fromUs`. */
  play(source: ProgramSource, count: number, fromUs = 0): void {
    for (let i = 0; i < count; i += 1) {
      source.push(pictureFrame(fromUs + i * 40_000, i === 0));
      source.push(soundFrame(fromUs + i * 40_000));
      this.clock.advance(40);
    }
  }
}

const MS = 90;

function expectForward(units: readonly AccessUnit[]): void {
  for (const [i, unit] of units.entries())
    if (i > 0) expect(unit.dts).toBeGreaterThan((units[i - 1] as AccessUnit).dts);
}

describe("STU3: the program's feed", () => {
  test("a reader begins with the tracks and a keyframe, which is asked for", async () => {
    const bench = new Bench();
    await using feed = bench.feed;
    const source = bench.open();
    bench.play(source, 5);
    const late = new Reader();
    using _place = feed.addReader(late);
    expect(bench.keyframesWanted).toBe(1);
    expect(late.tracks.map(({ kind }) => kind)).toEqual(["video", "audio"]);
    source.push(pictureFrame(200_000, false));
    source.push(soundFrame(200_000));
    expect(late.units).toEqual([]);
    bench.play(source, 3, 240_000);
    expect(late.units.map(({ track, keyframe }) => [track.kind, keyframe]).slice(0, 3)).toEqual([
      ["video", true],
      ["audio", true],
      ["video", false],
    ]);
    // What the page timed 40 ms apart stays so, to the tick.
    const steps = late.of("video").map(({ dts }, i, all) => dts - (all[Math.max(0, i - 1)] as AccessUnit).dts);
    expect(steps).toEqual([0, 40 * MS, 40 * MS]);
  });

  test("a reader that throws is taken off, and harms no other", async () => {
    const bench = new Bench();
    await using feed = bench.feed;
    const bad = new Reader();
    const good = new Reader();
    bad.failsAt = 2;
    feed.addReader(bad);
    feed.addReader(good);
    bench.play(bench.open(), 5);
    expect(bad.removed).toBeInstanceOf(Error);
    expect(bad.units).toHaveLength(2);
    expect(good.units).toHaveLength(10);
    expect(good.removed).toBeUndefined();
  });

  test("while the page is loaded again its last keyframe is shown, with silence, and time goes on", async () => {
    const bench = new Bench();
    await using feed = bench.feed;
    const reader = new Reader();
    feed.addReader(reader);
    const first = bench.open();
    bench.play(first, 50, 3_000_000);
    const shown = reader.of("video");
    first.close();
    bench.clock.advance(3000);
    const held = reader.of("video").slice(shown.length);
    expect(held.length).toBeGreaterThan(8);
    expect(held.every(({ keyframe, data }) => keyframe && data === shown[0]?.data)).toBe(true);
    expect(reader.of("audio").length).toBeGreaterThan(50 + (3000 / 21.4) * 0.95);

    // The new page's clock begins anew.
    bench.play(bench.open(), 10);
    expect(bench.states).toEqual(["fed", "held", "fed"]);
    expectForward(reader.of("video"));
    expectForward(reader.of("audio"));
    const [begin, end] = [reader.of("video")[0], reader.of("video").at(-1)];
    // Within the margin that a timeline leaves at each of two joints.
    expect(((end?.dts ?? 0) - (begin?.dts ?? 0)) / MS).toBeGreaterThan(50 * 40 + 3000 + 9 * 40 - 50);
    expect(((end?.dts ?? 0) - (begin?.dts ?? 0)) / MS).toBeLessThan(50 * 40 + 3000 + 9 * 40 + 500);
    // Sound and picture are together again.
    expect(Math.abs((reader.of("audio").at(-1)?.dts ?? 0) - (end?.dts ?? 0))).toBeLessThan(5 * MS);
    expect(reader.tracks).toHaveLength(2);
  });

  test("the sound has no hole where silence takes the page's place, and where the next page takes it back", async () => {
    const bench = new Bench();
    await using feed = bench.feed;
    const reader = new Reader();
    feed.addReader(reader);
    /** Pictures each 40 ms, and frames of sound that come so much later than they were, as from an encoder of their own. */
    const play = (source: ProgramSource, fromUs: number, ms: number, lateMs: number) => {
      let frame = 0;
      for (let at = 0; at < ms; at += 40) {
        source.push(pictureFrame(fromUs + at * 1000, at === 0));
        for (; (frame * 1024) / 48 + lateMs <= at; frame += 1) {
          source.push(soundFrame(fromUs + Math.round((frame * 1024) / 0.048)));
        }
        bench.clock.advance(40);
      }
    };
    const first = bench.open();
    play(first, 3_000_000, 2000, 200);
    first.close();
    bench.clock.advance(1000);
    const second = bench.open();
    // Of what was heard before its first picture nothing comes, and then only what is late.
    second.push(soundFrame(0));
    play(second, 150_000, 2000, 300);
    expect(bench.states).toEqual(["fed", "held", "fed"]);
    const sound = reader.of("audio");
    const steps = sound.slice(1).map(({ dts }, i) => (dts - (sound[i] as AccessUnit).dts) / MS);
    expect(Math.max(...steps)).toBeLessThan((2 * 1024) / 48);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(steps.filter((step) => step < 1024 / 48 - 1).length).toBeLessThanOrEqual(2);
    expect(((sound.at(-1)?.dts ?? 0) - (sound[0]?.dts ?? 0)) / MS).toBeGreaterThan(2000 + 1000 + 2000 - 600);
  });

  test("a page that stands still is held too, and goes on with a keyframe", async () => {
    const bench = new Bench();
    await using feed = bench.feed;
    const reader = new Reader();
    feed.addReader(reader);
    const source = bench.open();
    bench.play(source, 10);
    bench.clock.advance(2500);
    expect(bench.states).toEqual(["fed", "held"]);
    const wanted = bench.keyframesWanted;
    const before = reader.of("video").length;
    source.push(pictureFrame(3_000_000, false));
    expect(bench.keyframesWanted).toBe(wanted + 1);
    expect(reader.of("video")).toHaveLength(before);
    bench.play(source, 3, 3_040_000);
    expect(bench.states).toEqual(["fed", "held", "fed"]);
    expectForward(reader.of("video"));
  });

  test("it is held for so long and no longer; without readers not at all", async () => {
    const bench = new Bench(10_000);
    await using feed = bench.feed;
    const place = feed.addReader(new Reader());
    const source = bench.open();
    bench.play(source, 3);
    source.close();
    bench.clock.advance(11_000);
    expect(bench.states).toEqual(["fed", "held", "none"]);
    place[Symbol.dispose]();
    const again = bench.open();
    bench.play(again, 3);
    again.close();
    expect(bench.states).toEqual(["fed", "held", "none", "fed", "none"]);
  });

  test("SEC5: what cannot be right is refused with a typed error, and the source goes on", async () => {
    const bench = new Bench();
    await using feed = bench.feed;
    const reader = new Reader();
    feed.addReader(reader);
    const source = feed.openSource();
    const code = { code: "media_malformed" };
    const refuses = (push: () => void, what = code) => expect(push).toThrow(expect.objectContaining(what));
    refuses(() => source.push(pictureFrame(0, true)));
    refuses(() => source.push(soundFrame(0)));
    refuses(() => source.push({ ...configFrame(), data: Uint8Array.of(1, 2, 3) }));
    refuses(() => source.push({ ...soundConfigFrame(), data: Uint8Array.of(0xff) }));
    source.push(configFrame());
    refuses(() => source.push({ ...pictureFrame(0, true), data: Uint8Array.of(0, 0, 9, 9, 0x65) }));
    refuses(() => source.push({ ...pictureFrame(0, false), keyframe: true }));
    refuses(() => source.push({ ...soundFrame(0), kind: "pcm", sampleRate: 48_000, channels: 9 }));
    refuses(() => source.push({ ...pictureFrame(0, true), kind: "i420", width: 1, height: 1 }));
    refuses(() => source.push({ ...pictureFrame(0, true), kind: "asset" }), { code: "media_unsupported" });
    source.push(soundConfigFrame());
    bench.play(source, 2);
    expect(reader.of("video")).toHaveLength(2);
  });

  test("without FFmpeg samples and uncompressed pictures are said to be lost, once", async () => {
    const bench = new Bench();
    await using feed = bench.feed;
    const problems: string[] = [];
    feed.events.on("problem", ({ message }) => problems.push(message));
    const source = feed.openSource();
    for (let i = 0; i < 3; i += 1) {
      source.push({ ...soundFrame(i), kind: "pcm", sampleRate: 48_000, channels: 2 });
      const data = new Uint8Array((320 * 180 * 3) / 2);
      source.push({ ...pictureFrame(i, true), kind: "i420", data });
    }
    expect(problems).toEqual([expect.stringContaining("silent"), expect.stringContaining("encode the picture")]);
  });

  test("it counts what came in over the last second, and leaves no timer", async () => {
    const bench = new Bench();
    bench.play(bench.open(), 50);
    expect(bench.feed.rates.frame_rate).toBeGreaterThanOrEqual(24);
    expect(bench.feed.rates.frame_rate).toBeLessThanOrEqual(26);
    expect(bench.feed.rates.video_bitrate).toBe(bench.feed.rates.frame_rate * 104 * 8);
    await bench.feed.close();
    expect(bench.clock.pending).toBe(0);
  });
});

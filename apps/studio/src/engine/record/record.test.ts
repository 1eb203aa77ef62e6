import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@klieg/base";
import { makeFootage } from "@klieg/ffmpeg/testing";
import type { AccessUnit, Track } from "@klieg/media";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ProgramReader } from "../program/program-reader.ts";
import { Recorder } from "./recorder.ts";
import { RecordingFile } from "./recording-file.ts";
import { Replay } from "./replay.ts";

/** Six seconds of picture and tone, a keyframe each second. */
let footage: readonly AccessUnit[];
beforeAll(async () => {
  footage = await makeFootage({ width: 160, height: 90, frameRate: 25, seconds: 6, gop: 25, audio: "aac" });
});

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-record-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A feed that gives all that read it what it is given. */
class Feed {
  readonly #readers = new Set<ProgramReader>();

  addReader(reader: ProgramReader): Disposable {
    this.#readers.add(reader);
    return { [Symbol.dispose]: () => void this.#readers.delete(reader) };
  }

  push(units: readonly AccessUnit[], only?: Track["kind"]): void {
    const wanted = units.filter(({ track }) => only === undefined || track.kind === only);
    for (const reader of this.#readers) {
      for (const track of new Set(wanted.map(({ track }) => track))) reader.onTrack(track);
      for (const unit of wanted) reader.onAccessUnit(unit);
    }
  }

  get size(): number {
    return this.#readers.size;
  }
}

function probe(path: string) {
  const args = ["-v", "warning", "-show_streams", "-show_packets", "-of", "json", path];
  const { streams, packets } = JSON.parse(
    execFileSync("ffprobe", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
  );
  const count = (kind: string) => packets.filter((packet: { codec_type: string }) => packet.codec_type === kind).length;
  return {
    codecs: streams.map(({ codec_name }: { codec_name: string }) => codec_name),
    video: count("video"),
    audio: count("audio"),
  };
}

describe("the recorder (STU3)", () => {
  test("writes what plays whole, with an index to seek by, and says how it goes", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed });
    const told: string[] = [];
    recorder.events.on("state", ({ state, duration_ms }) => told.push(`${state} ${duration_ms}`));
    const { state, path } = await recorder.start(join(folder, "not there yet"));
    expect([state, path]).toEqual(["starting", expect.stringMatching(/not there yet.Klieg \d{4}-\d\d-\d\d .*[.]mp4$/)]);
    feed.push(footage);
    await expect.poll(() => recorder.state.duration_ms).toBe(5000);
    const kept = await recorder.stop();
    expect(kept).toMatchObject({ path, duration_ms: 6000 });
    expect(feed.size).toBe(0);
    expect(probe(kept.path)).toEqual({ codecs: ["h264", "aac"], video: 150, audio: expect.any(Number) });
    const bytes = await readFile(kept.path);
    expect([bytes.length, bytes.includes("mfra")]).toEqual([kept.bytes, true]);
    expect(told.at(-1)).toBe("off 0");
    expect(told).toContain("recording 3000");
    await expect(recorder.stop()).rejects.toMatchObject({ code: "conflict" });
  });

  test("records a program that has no sound", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed });
    await recorder.start(folder);
    feed.push(footage, "video");
    const { path, duration_ms } = await recorder.stop();
    // It waited a second for the sound.
    expect([duration_ms, probe(path)]).toEqual([5000, { codecs: ["h264"], video: 125, audio: 0 }]);
  });

  test("says what is wrong with a folder, and leaves no empty file", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed });
    await writeFile(join(folder, "file"), "");
    await expect(recorder.start(join(folder, "file"))).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(recorder.state).toMatchObject({ state: "failed", problem: { code: "storage_unavailable" } });
    await recorder.start(folder);
    await expect(recorder.stop()).rejects.toThrow("before there was any picture");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("never writes over a recording of the same second", async () => {
    await using first = await RecordingFile.create(folder, "Klieg");
    await first.append([Uint8Array.of(1)]);
    await using second = await RecordingFile.create(folder, "Klieg");
    expect(second.path).toBe(join(folder, "Klieg 2.mp4"));
  });
});

describe("the replay (STU3)", () => {
  test("holds the last moments in whole GOPs, and saves them while it goes on", async () => {
    const feed = new Feed();
    await using replay = new Replay({ clock: systemClock, feed });
    await expect(replay.save(folder)).rejects.toMatchObject({ code: "conflict" });
    replay.arm(2);
    feed.push(footage);
    const { held_ms, bytes } = replay.state;
    expect(held_ms).toBeGreaterThanOrEqual(2000);
    expect(held_ms).toBeLessThan(3000);
    const saving = replay.save(folder);
    feed.push(footage.map((unit) => ({ ...unit, dts: unit.dts + 540_000, pts: unit.pts + 540_000 })));
    const kept = await saving;
    expect(kept.duration_ms).toBeGreaterThanOrEqual(2000);
    expect(kept.bytes).toBeGreaterThan(bytes);
    expect(probe(kept.path)).toMatchObject({ codecs: ["h264", "aac"], video: (kept.duration_ms / 1000) * 25 });
    expect(replay.arm(0)).toEqual({ seconds: 0, held_ms: 0, bytes: 0 });
    expect(feed.size).toBe(0);
  });

  test("holds no more than it may, whatever is asked for", async () => {
    const feed = new Feed();
    const all = footage.reduce((sum, { data }) => sum + data.length, 0);
    await using replay = new Replay({ clock: systemClock, feed, maxBytes: all / 3 });
    replay.arm(300);
    feed.push(footage);
    expect(replay.state.bytes).toBeLessThanOrEqual(all / 3);
    expect(replay.state.held_ms).toBeGreaterThan(0);
  });
});

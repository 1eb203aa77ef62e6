import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock, systemClock } from "@klieg/base";
import { makeFootage } from "@klieg/ffmpeg/testing";
import type { AccessUnit, Track } from "@klieg/media";
import { KliegError, type ProgramFrame } from "@klieg/protocol";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ProgramReader } from "../program/program-reader.ts";
import { Recorder } from "./recorder.ts";
import { RecordingFile } from "./recording-file.ts";
import { RecordingShelf } from "./recording-shelf.ts";
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
  /** Of a page whose time is the footage's own. */
  pageOffset: number | undefined = 0;

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

/** What a page sends of a source that is recorded by itself. @param at added to its times, ticks. */
function* framesOf(number: number, units: readonly AccessUnit[], at = 0): Generator<ProgramFrame> {
  const nothing = { upload: 0, width: 0, height: 0, sampleRate: 0, channels: 0, isolated: number };
  const told = new Set<Track>();
  for (const { track, dts, keyframe, data } of units) {
    const picture = track.kind === "video";
    const timestamp = ((dts + at) * 1e6) / 90_000;
    if (!told.has(track)) {
      told.add(track);
      const config = Uint8Array.from(track.config);
      yield { ...nothing, kind: picture ? "avc_config" : "aac_config", keyframe: false, timestamp, data: config };
    }
    yield { ...nothing, kind: picture ? "avc" : "aac", keyframe, timestamp, data: Uint8Array.from(data) };
  }
}

const CAMERA = { id: "camera", name: "Camera: left/right", kinds: ["video", "audio"] } as const;
const MICROPHONE = { id: "voice", name: "Voice", kinds: ["audio"] } as const;

const isSound = ({ track }: AccessUnit) => track.kind === "audio";

/** Seconds of the first and last packet of a kind. */
function times(path: string, kind: "video" | "audio"): [number, number] {
  const args = ["-v", "error", "-select_streams", kind.slice(0, 1), "-show_packets", "-of", "json", path];
  const { packets } = JSON.parse(execFileSync("ffprobe", args, { encoding: "utf8" }));
  return [Number(packets[0].pts_time), Number(packets.at(-1).pts_time)];
}

describe("recordings of sources (STU8)", () => {
  test("lie beside the program's, begin where it does, and are on its time", async () => {
    const feed = new Feed();
    feed.pageOffset = undefined;
    await using recorder = new Recorder({ clock: systemClock, feed, ffmpeg: undefined });
    recorder.isolate([CAMERA, MICROPHONE], 128_000);
    const wanted: number[] = [];
    recorder.events.on("keyframe_wanted", (number) => wanted.push(number));
    const { isolated = [], path } = await recorder.start(folder);
    expect(isolated).toMatchObject([
      { source: "camera", number: 1, state: "waiting", picture: true, sound: true },
      { source: "voice", number: 2, state: "waiting", picture: false, sound: true },
    ]);
    // Before the program there is no time to put them on.
    for (const frame of framesOf(1, footage.slice(0, 20))) recorder.pushIsolated(frame);
    const moved = footage.map((unit) => ({ ...unit, dts: unit.dts + 900_000, pts: unit.pts + 900_000 }));
    feed.push(moved.slice(0, 1));
    feed.push(moved);
    feed.pageOffset = 900_000;
    // The camera's encoder began a second and a half after the program's recording, the microphone's with it.
    const late = footage.filter(({ dts }) => dts >= 135_000);
    for (const frame of framesOf(1, late)) recorder.pushIsolated(frame);
    // It was in the middle of a GOP.
    expect(wanted).toEqual([1]);
    for (const frame of framesOf(2, footage.filter(isSound))) recorder.pushIsolated(frame);
    await expect.poll(() => recorder.state.isolated?.every(({ state }) => state === "recording")).toBe(true);
    // An edit of the show in mid-recording.
    recorder.isolate([CAMERA], 128_000);
    await expect.poll(() => recorder.state.isolated?.length).toBe(1);
    await recorder.stop();
    expect(recorder.state.isolated).toEqual([]);
    const names = (await readdir(folder)).sort();
    const base = path?.slice(folder.length + 1, -4);
    expect(names).toEqual([`${base} - Camera left right.mp4`, `${base} - Voice.mp4`, `${base}.mp4`]);
    const [camera, voice, program] = names.map((name) => join(folder, name)) as [string, string, string];
    expect(probe(camera).codecs).toEqual(["h264", "aac"]);
    expect(probe(voice).codecs).toEqual(["aac"]);
    const [programStart, programEnd] = times(program, "video");
    expect(programStart).toBe(0);
    // The first picture stands from the beginning on.
    expect(times(camera, "video")[0]).toBe(0);
    expect(times(camera, "video")[1]).toBeCloseTo(programEnd, 2);
    expect(times(voice, "audio")[1]).toBeCloseTo(times(program, "audio")[1], 1);
  });

  test("go on after the page was away, in the same file, and refuse what cannot be theirs", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed, ffmpeg: undefined });
    recorder.isolate([CAMERA], 128_000);
    await recorder.start(folder);
    feed.push(footage);
    for (const frame of framesOf(1, footage)) recorder.pushIsolated(frame);
    recorder.pageGone();
    // The page's clock begins anew, and the program went on for three seconds.
    feed.pageOffset = 9 * 90_000;
    const [config, ...rest] = framesOf(1, footage.slice(30));
    for (const frame of [config as ProgramFrame, ...rest]) recorder.pushIsolated(frame);
    const i420 = { ...(config as ProgramFrame), kind: "i420" } as const;
    expect(() => recorder.pushIsolated(i420)).toThrow("not made of i420");
    recorder.pushIsolated({ ...i420, isolated: 7 });
    await expect.poll(() => recorder.state.isolated?.[0]?.duration_ms ?? 0).toBeGreaterThan(13_000);
    await recorder.stop();
    const name = (await readdir(folder)).find((found) => found.includes("Camera")) ?? "";
    const { video, codecs } = probe(join(folder, name));
    expect([video > 250, codecs]).toEqual([true, ["h264", "aac"]]);
    expect(times(join(folder, name), "video")[1]).toBeGreaterThan(14.5);
  });

  test("of which one ends take neither the program's nor the others along, and leave no empty file", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed, ffmpeg: undefined });
    recorder.isolate([CAMERA, MICROPHONE], 128_000);
    await recorder.start(folder);
    feed.push(footage);
    for (const frame of framesOf(2, footage.filter(isSound))) recorder.pushIsolated(frame);
    // Nothing ever came of the camera.
    const kept = await recorder.stop();
    expect(kept.duration_ms).toBe(6000);
    expect(recorder.state).toMatchObject({ state: "off", ...kept });
    expect((await readdir(folder)).filter((name) => name.includes("Camera"))).toEqual([]);
    expect((await readdir(folder)).filter((name) => name.includes("Voice"))).toHaveLength(1);
  });
});

test("what a page sends of a source, damaged in any way, is refused in words, and harms nothing (STU8)", async () => {
  const feed = new Feed();
  await using recorder = new Recorder({ clock: systemClock, feed, ffmpeg: undefined });
  recorder.isolate([CAMERA], 128_000);
  await recorder.start(folder);
  feed.push(footage);
  const good = [...framesOf(1, footage)];
  const kinds = ["avc_config", "avc", "i420", "pcm", "aac_config", "aac"] as const;
  const damaged = fc.record({
    at: fc.nat(good.length - 1),
    kind: fc.option(fc.constantFrom(...kinds)),
    timestamp: fc.option(fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER))),
    byte: fc.option(fc.tuple(fc.nat(60), fc.nat(255))),
    keyframe: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(damaged, { maxLength: 20 }), (script) => {
      for (const { at, kind, timestamp, byte, keyframe } of script) {
        const frame = good[at] as ProgramFrame;
        const data = Uint8Array.from(frame.data);
        if (byte !== null && byte[0] < data.length) data[byte[0]] = byte[1];
        const sent = { ...frame, data, keyframe, kind: kind ?? frame.kind, timestamp: timestamp ?? frame.timestamp };
        try {
          recorder.pushIsolated(sent);
        } catch (error) {
          expect(error).toBeInstanceOf(KliegError);
        }
      }
    }),
    { numRuns: 200 },
  );
  const kept = await recorder.stop();
  expect(probe(kept.path).video).toBe(150);
});

describe("the films that were kept (STU8)", () => {
  test("are listed newest first, each source after its program, without what is being made or is none of ours", async () => {
    const feed = new Feed();
    const clock = new ManualClock(Date.UTC(2026, 0, 2, 12));
    await using recorder = new Recorder({ clock, feed, ffmpeg: undefined });
    await using replay = new Replay({ clock: systemClock, feed });
    const shelf = new RecordingShelf();
    expect(await shelf.list(join(folder, "nowhere"), recorder.state)).toEqual([]);
    recorder.isolate([CAMERA, MICROPHONE], 128_000);
    await recorder.start(folder);
    feed.push(footage);
    for (const frame of [...framesOf(1, footage), ...framesOf(2, footage.filter(isSound))])
      recorder.pushIsolated(frame);
    await recorder.stop();
    replay.arm(2);
    feed.push(footage);
    const { path: replayPath } = await replay.save(folder);
    clock.advance(60_000);
    recorder.isolate([], 0);
    await recorder.start(folder);
    feed.push(footage);
    await expect.poll(() => recorder.state.state).toBe("recording");
    for (const name of ["Klieg 2026-01-01 10-00-00.mp4", "holiday.mp4"])
      await writeFile(join(folder, name), "a".repeat(99));
    const films = await shelf.list(folder, recorder.state);
    expect(films.map(({ kind, duration_ms, width, sound }) => [kind, duration_ms, width, sound])).toEqual([
      ["replay", expect.any(Number), 160, true],
      ["program", 6000, 160, true],
      ["source", 6000, 160, true],
      ["source", expect.any(Number), null, true],
    ]);
    expect(films.map(({ name }) => name.slice(-12))).toEqual(expect.arrayContaining([expect.stringMatching(/Voice$/)]));
    const [first] = films;
    expect([first?.path, first?.bytes]).toEqual([replayPath, (await readFile(replayPath)).length]);
    expect(shelf.file(first?.id ?? "")).toEqual({ path: replayPath, mediaType: "video/mp4" });
    expect([shelf.file("film-0"), shelf.file("../x")]).toEqual([undefined, undefined]);
    // What was cut is another film, and is told so.
    await truncate(replayPath, (first?.bytes ?? 0) / 2);
    const [cut] = await shelf.list(folder, recorder.state);
    expect(cut?.id).not.toBe(first?.id);
    expect(cut?.duration_ms).toBeLessThan(first?.duration_ms ?? 0);
    await recorder.stop();
    expect(await shelf.list(folder, recorder.state)).toHaveLength(5);
    await writeFile(join(folder, "file"), "");
    await expect(shelf.list(join(folder, "file"), recorder.state)).rejects.toMatchObject({
      code: "storage_unavailable",
    });
  });
});

describe("the recorder (STU3)", () => {
  test("writes what plays whole, with an index to seek by, and says how it goes", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed, ffmpeg: undefined });
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
    expect(told.at(-1)).toBe("off 6000");
    expect(told).toContain("recording 3000");
    await expect(recorder.stop()).rejects.toMatchObject({ code: "conflict" });
  });

  test("records a program that has no sound", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed, ffmpeg: undefined });
    await recorder.start(folder);
    feed.push(footage, "video");
    const { path, duration_ms } = await recorder.stop();
    // It waited a second for the sound.
    expect([duration_ms, probe(path)]).toEqual([5000, { codecs: ["h264"], video: 125, audio: 0 }]);
  });

  test("says what is wrong with a folder, and leaves no empty file", async () => {
    const feed = new Feed();
    await using recorder = new Recorder({ clock: systemClock, feed, ffmpeg: undefined });
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

import { type Clock, ManualClock, systemClock } from "@klieg/base";
import { fakeFfmpeg, INSTALLED_FFMPEG, later, makeFootage } from "@klieg/ffmpeg/testing";
import type { AccessUnit } from "@klieg/media";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { parseLadder } from "./ladder.ts";
import { RenditionRecorder, videoKeyframes, videoTimes } from "./testing/rendition-recorder.ts";
import { TranscodeEngine, type TranscodeEngineOptions } from "./transcode-engine.ts";
import { Transcoder, type TranscoderOptions } from "./transcoder.ts";

const LADDER = parseLadder("120p:200k,90p:100k");
let footage: readonly AccessUnit[];
let sharedEngine: TranscodeEngine;
beforeAll(async () => {
  sharedEngine = await startEngine({});
  footage = await makeFootage({ seconds: 2, gop: 15, bFrames: 2, audio: "aac" });
});

const opened: Transcoder[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transcoder) => transcoder.close()));
});

function startEngine(options: Partial<TranscodeEngineOptions>): Promise<TranscodeEngine> {
  return TranscodeEngine.start({
    logger: new RecordingLogger(),
    ffmpegPath: INSTALLED_FFMPEG,
    searchPath: "",
    platform: "linux",
    renderNodes: [],
    ...options,
  });
}

async function setUp(
  options: Partial<TranscodeEngineOptions> &
    Partial<Pick<TranscoderOptions, "ladder" | "timings" | "adaptsItsSize" | "keyframeSeconds">> & {
      clock?: Clock;
    } = {},
) {
  const { ladder = LADDER, timings, clock = systemClock, adaptsItsSize, keyframeSeconds, ...rest } = options;
  const logger = new RecordingLogger();
  const engine = Object.keys(rest).length === 0 ? sharedEngine : await startEngine({ logger, ...rest });
  const made = new RenditionRecorder();
  // A busy machine may take its time to finish.
  const patient = clock === systemClock ? { drainMs: 20_000, ...timings } : { ...timings };
  const transcoder = new Transcoder({
    ...{ engine, sink: made, logger, ladder, clock, timings: patient },
    ...(adaptsItsSize && { adaptsItsSize }),
    ...(keyframeSeconds && { keyframeSeconds }),
  });
  opened.push(transcoder);
  const push = (units: readonly AccessUnit[]) => {
    for (const unit of units) transcoder.onAccessUnit(unit);
  };
  return { transcoder, made, push, engine, logger };
}

function alive(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? -1, 0);
    return pid !== undefined;
  } catch {
    return false;
  }
}

describe("TRN1: what is made", () => {
  test("every frame of the source in every rendition, at its time, with the source's keyframes and no others", async () => {
    const { transcoder, made, push } = await setUp();
    const source = later(footage, 9_000_000_000); // past 33 bits
    push(source);
    await transcoder.drain();
    for (const name of ["120p", "90p"]) {
      expect(made.times(name)).toEqual(videoTimes(source));
      expect(made.keyframes(name)).toEqual(videoKeyframes(source));
      expect(made.of(name).every(({ dts, pts }) => dts === pts)).toBe(true);
      expect(new Set(made.of(name).map(({ track }) => track)).size).toBe(1);
    }
    expect(made.of("120p")[0]?.track).toMatchObject({ codec: "h264", width: 214, height: 120, frameRate: 30, id: 0 });
    expect(made.of("90p")[0]?.track).toMatchObject({ width: 160, height: 90 });
    expect([...made.units.keys()].toSorted()).toEqual(["120p", "90p"]); // AAC is passed by, not made
  });

  test("renditions are announced before their first access unit, highest first", async () => {
    const { transcoder, made, push } = await setUp();
    const announced: string[][] = [];
    transcoder.events.on("renditions", ({ renditions }) => {
      expect(made.units.size).toBe(0);
      announced.push(renditions.map(({ name, encoder }) => `${name} ${encoder}`));
    });
    push(footage);
    await transcoder.drain();
    expect(announced).toEqual([["120p libx264", "90p libx264"]]);
  });

  test("a picture of another size gets another ladder, with nothing lost on either side of the change", async () => {
    const small = await makeFootage({ width: 160, height: 90, seconds: 1, gop: 15 });
    const { transcoder, made, push } = await setUp({ ladder: parseLadder("120p:200k,64p:100k") });
    const second = later(small, 200_000);
    push(footage);
    push(second);
    await transcoder.drain();
    expect(made.times("64p")).toEqual([...videoTimes(footage), ...videoTimes(second)]);
    expect(made.times("120p")).toEqual(videoTimes(footage));
    expect(transcoder.renditions.map(({ name }) => name)).toEqual(["64p"]);
    const changed = made.of("64p").find(({ pts }) => pts >= 200_000);
    expect(changed).toMatchObject({ keyframe: true, discontinuity: true, track: { width: 114, height: 64 } });
    expect(transcoder.health().restarts).toBe(0);
  });

  test("RTC3: renditions of a sender that changes its size by itself keep theirs, until it grows beyond what it was", async () => {
    const small = await makeFootage({ width: 160, height: 90, seconds: 1, gop: 15 });
    const large = await makeFootage({ width: 640, height: 360, seconds: 1, gop: 15 });
    const { transcoder, made, push } = await setUp({
      adaptsItsSize: () => true,
      ladder: parseLadder("240p:300k,120p:200k"),
    });
    const [second, third, fourth] = [later(small, 190_000), later(footage, 290_000), later(large, 490_000)];
    for (const units of [footage, second, third]) {
      push(units);
      // All but what waits for its successor.
      await made.until(() => (made.times("120p").at(-1) ?? 0) >= (videoTimes(units).at(-4) ?? 0));
    }
    expect(transcoder.renditions.map(({ name }) => name)).toEqual(["120p"]);
    push(fourth);
    await transcoder.drain();
    const constant = [...videoTimes(footage), ...videoTimes(second), ...videoTimes(third)];
    expect(made.times("120p")).toEqual([...constant, ...videoTimes(fourth)]);
    expect(made.times("240p")).toEqual(videoTimes(fourth));
    const before = made.of("120p").filter(({ pts }) => pts < 490_000);
    expect(new Set(before.map(({ track }) => track)).size).toBe(1);
    expect(before.some(({ discontinuity }) => discontinuity)).toBe(false);
    expect(transcoder.health().restarts).toBe(0);
  });

  test("RTC3: where the source's keyframes are no matter, renditions have their own, also after FFmpeg is killed", async () => {
    const { transcoder, made, push } = await setUp({ keyframeSeconds: () => 0.5 });
    const long = await makeFootage({ seconds: 4, gop: 120 });
    const half = long.findIndex(({ dts }) => dts >= 180_000);
    push(long.slice(0, half));
    await made.until(() => made.of("90p").length > 30);
    process.kill(transcoder.pid ?? -1, "SIGKILL");
    await made.until(() => transcoder.health().restarts === 1);
    push(long.slice(half));
    await transcoder.drain();
    expect(made.times("120p")).toEqual(videoTimes(long));
    const keyframes = made.keyframes("120p");
    expect(keyframes).toEqual(made.keyframes("90p"));
    const steps = keyframes.slice(1).map((pts, i) => pts - (keyframes[i] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(48_000);
  });

  test("where the timeline breaks, a new stretch begins with a keyframe that says so", async () => {
    const { transcoder, made, push } = await setUp();
    const second = later(footage, 90_000 * 3600);
    const broken = new Set<string>();
    push(footage);
    for (const unit of second) {
      push([broken.has(unit.track.kind) ? unit : { ...unit, discontinuity: true }]);
      broken.add(unit.track.kind);
    }
    await transcoder.drain();
    expect(made.times("90p")).toEqual([...videoTimes(footage), ...videoTimes(second)]);
    const marked = made.of("90p").filter(({ discontinuity }) => discontinuity === true);
    expect(marked.map(({ pts, keyframe }) => [pts, keyframe])).toEqual([[videoTimes(second)[0], true]]);
  });

  test("an FFmpeg is relieved before its 33-bit timestamps run out, with nothing lost", async () => {
    const { transcoder, made, push } = await setUp();
    const second = later(footage, 24.01 * 3600 * 90_000);
    push(footage);
    await made.until(() => made.of("90p").length > 40);
    const { pid } = transcoder;
    push(second);
    expect(transcoder.pid).not.toBe(pid);
    await transcoder.drain();
    expect(made.times("90p")).toEqual([...videoTimes(footage), ...videoTimes(second)]);
    expect(transcoder.health().restarts).toBe(0);
  });

  test("after the source was gone it begins anew with what comes, in whatever shape", async () => {
    const { transcoder, made, push } = await setUp();
    push(footage);
    await transcoder.drain();
    expect(transcoder.state).toBe("starting");
    const portrait = later(await makeFootage({ width: 180, height: 320, seconds: 1 }), 900_000);
    push(portrait);
    await transcoder.drain();
    expect(made.times("90p")).toEqual([...videoTimes(footage), ...videoTimes(portrait)]);
    expect(made.of("90p").at(-1)?.track).toMatchObject({ width: 90, height: 160 });
  });

  test("nothing is made, and FFmpeg not started, where there is no ladder and the sound is AAC", async () => {
    const { transcoder, made, push } = await setUp({ ladder: [] });
    push(footage);
    expect(transcoder.pid).toBeUndefined();
    expect(transcoder.health()).toMatchObject({ state: "off", encoder: null, last_error: null });
    await transcoder.drain();
    expect(made.units.size).toBe(0);
  });

  test("without FFmpeg it has failed, and says why", async () => {
    const { transcoder, push, logger } = await setUp({ ffmpegPath: "/nowhere/ffmpeg", installer: false });
    push(footage);
    expect(transcoder.state).toBe("failed");
    expect(transcoder.health().last_error).toContain("/nowhere/ffmpeg could not be started");
    expect(logger.lines.some(({ level, message }) => level === "error" && message.includes("no transcoding"))).toBe(
      true,
    );
  });

  test("a machine with no room makes nothing, says so, and begins when another transcode ends", async () => {
    const clock = new ManualClock();
    const { transcoder, made, push, engine } = await setUp({ ladder: parseLadder("auto"), clock, cores: 1 });
    const large = await makeFootage({ width: 640, height: 360, seconds: 2, gop: 15 });
    const other = engine.reserve();
    other.take(1);
    push(large);
    expect(transcoder.health()).toMatchObject({ state: "off", last_error: "the machine has no room to transcode" });
    other[Symbol.dispose]();
    clock.advance(60_000);
    const after = later(large, 180_000);
    push(after);
    await transcoder.drain();
    expect(made.times("240p")).toEqual(videoTimes(after));
  });
});

describe("TRN4: sound that is not AAC", () => {
  test("is made into AAC beside the rungs, once", async () => {
    const opus = await makeFootage({ seconds: 2, gop: 15, audio: "libopus" });
    const { transcoder, made, push } = await setUp();
    push(opus);
    await transcoder.drain();
    expect(made.times("120p")).toEqual(videoTimes(opus));
    const sound = made.of("audio");
    expect(sound[0]?.track).toMatchObject({ kind: "audio", codec: "aac", sampleRate: 48_000, channels: 2 });
    expect(sound.length * 1024).toBeGreaterThan(1.9 * 48_000);
    for (const [i, { dts }] of sound.entries()) if (i > 0) expect(dts - (sound[i - 1]?.dts ?? 0)).toBe(1920);
  });

  test("is made also without a ladder, and without video", async () => {
    const mp3 = (await makeFootage({ seconds: 2, gop: 15, audio: "libmp3lame" })).filter(
      ({ track }) => track.kind === "audio",
    );
    const { transcoder, made, push } = await setUp({ ladder: [] });
    push(mp3);
    await transcoder.drain();
    expect([...made.units.keys()]).toEqual(["audio"]);
    expect(made.of("audio").length * 1024).toBeGreaterThan(1.9 * 48_000);
  });
});

describe("TRN6: an FFmpeg that dies, hangs or lags", () => {
  test("killed, it is back at once, and goes on where it was", async () => {
    const { transcoder, made, push } = await setUp();
    const restarted = transcoder.events.once("restart");
    push(footage.slice(0, footage.length >> 1));
    await made.until(() => made.of("90p").length >= 10);
    const { pid } = transcoder;
    process.kill(pid as number, "SIGKILL");
    expect(await restarted).toMatchObject({ restarts: 1, delayMs: 0, reason: "FFmpeg was killed by SIGKILL" });
    expect(transcoder.state).toBe("restarting");
    push(footage.slice(footage.length >> 1));
    await transcoder.drain();
    // The frames of one instant may be lost in the renditions that FFmpeg had not handed over.
    for (const name of ["120p", "90p"]) {
      expect(videoTimes(footage).filter((pts) => !made.times(name).includes(pts)).length).toBeLessThanOrEqual(1);
      expect(made.keyframes(name)).toEqual(videoKeyframes(footage));
      expect(new Set(made.times(name)).size).toBe(made.times(name).length);
    }
    expect(alive(pid)).toBe(false);
  });

  test("one that takes nothing and makes nothing is killed; its queue is bounded meanwhile", async () => {
    const clock = new ManualClock();
    await using fake = await fakeFfmpeg({ transcode: "hangs" });
    const { transcoder, push } = await setUp({ clock, ffmpegPath: fake.path });
    const large = await makeFootage({ width: 640, height: 360, seconds: 2, gop: 15, bFrames: 0 });
    let dropped = 0;
    transcoder.events.on("dropped", ({ accessUnits }) => {
      dropped += accessUnits;
    });
    push(large);
    const { pid } = transcoder;
    for (let i = 1; i <= 12; i += 1) push(later(large, i * 180_000));
    const bytes = large.reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(transcoder.queuedBytes).toBeLessThan(2.5 * bytes);
    expect(dropped).toBeGreaterThan(200);
    expect(transcoder.droppedAccessUnits).toBe(dropped);

    const restarted = transcoder.events.once("restart");
    for (let i = 13; i < 20; i += 1) {
      push(later(large, i * 180_000));
      clock.advance(1000);
    }
    expect((await restarted).reason).toBe("FFmpeg made nothing");
    expect(alive(pid)).toBe(false);
  });

  test("a hardware encoder that dies gives way to software", async () => {
    await using fake = await fakeFfmpeg({ transcode: "dies" });
    const { transcoder, made, push, logger } = await setUp({ ffmpegPath: fake.path });
    expect(transcoder.health()).toMatchObject({ state: "off" });
    const restarted = transcoder.events.once("restart");
    push(footage);
    expect(transcoder.health()).toMatchObject({ encoder: "h264_qsv", hardware: true });
    expect((await restarted).reason).toBe("FFmpeg was killed by SIGSEGV");
    expect(transcoder.health()).toMatchObject({ encoder: "libx264", hardware: false });
    await transcoder.drain();
    expect(made.times("120p")).toEqual(videoTimes(footage));
    expect(logger.lines.some(({ message }) => message === "software takes over from hardware")).toBe(true);
  });

  test("one that fails again and again is given up, and yet tried now and then", async () => {
    const clock = new ManualClock();
    await using fake = await fakeFfmpeg({
      first: `case " $* " in *" mpegts "*pipe:0*) echo '[error] Cannot allocate memory' >&2; exit 1 ;; esac`,
    });
    const { transcoder, push } = await setUp({ clock, ffmpegPath: fake.path, hardware: false });
    const delays: number[] = [];
    let at = 0;
    push(footage);
    for (let failures = 1; failures <= 8; failures += 1) {
      const { delayMs, reason } = await transcoder.events.once("restart");
      expect(reason).toBe("FFmpeg ended with code 1: Cannot allocate memory");
      expect(transcoder.state).toBe(failures > 6 ? "failed" : "restarting");
      delays.push(delayMs);
      clock.advance(delayMs);
      at += 180_000;
      push(later(footage, at));
    }
    expect(delays).toEqual([0, 250, 1000, 2000, 5000, 10_000, 30_000, 30_000]);
    expect(transcoder.health()).toMatchObject({
      restarts: 8,
      last_error: "FFmpeg ended with code 1: Cannot allocate memory",
    });
  });

  test("closing ends FFmpeg and lets go of everything, whatever it does", async () => {
    const clock = new ManualClock();
    await using fake = await fakeFfmpeg({ transcode: "hangs" });
    const { transcoder, push } = await setUp({ clock, ffmpegPath: fake.path });
    push(footage);
    const { pid } = transcoder;
    expect(alive(pid)).toBe(true);
    const closing = transcoder.close();
    expect(transcoder.close()).toBe(closing);
    clock.advance(1500);
    await closing;
    expect(alive(pid)).toBe(false);
    expect(clock.pending).toBe(0);
    push(footage);
    expect(transcoder.pid).toBeUndefined();
  });
});

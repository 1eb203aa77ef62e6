import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runFfmpeg } from "@klieg/ffmpeg";
import { fakeFfmpeg, INSTALLED_FFMPEG, later, makeFootage } from "@klieg/ffmpeg/testing";
import { type AccessUnit, Av1ElementaryStream, TsMuxer } from "@klieg/media";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { RecordingLogger } from "../../apps/backend/src/testing/recording-logger.ts";
import { DEFAULT_LADDER, parseLadder, type RungSpec } from "../../apps/backend/src/transcode/ladder.ts";
import {
  RenditionRecorder,
  videoKeyframes,
  videoTimes,
} from "../../apps/backend/src/transcode/testing/rendition-recorder.ts";
import { TranscodeEngine } from "../../apps/backend/src/transcode/transcode-engine.ts";
import { Transcoder } from "../../apps/backend/src/transcode/transcoder.ts";
import type { TranscoderTimings } from "../../apps/backend/src/transcode/transcoder-events.ts";

const SYSTEM_FFMPEG = "/usr/bin/ffmpeg";
const BINARIES = [
  { name: "the installed FFmpeg of 2018", ffmpeg: INSTALLED_FFMPEG },
  { name: "the system's FFmpeg", ffmpeg: SYSTEM_FFMPEG },
].filter(({ ffmpeg }) => existsSync(ffmpeg));

const opened: Transcoder[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transcoder) => transcoder.close()));
});

async function setUp(options: {
  ffmpeg: string;
  ladder?: readonly RungSpec[];
  timings?: Partial<TranscoderTimings>;
  cores?: number;
}) {
  const logger = new RecordingLogger();
  const engine = await TranscodeEngine.start({
    logger,
    ffmpegPath: options.ffmpeg,
    hardware: false,
    ...(options.cores === undefined ? {} : { cores: options.cores }),
  });
  const made = new RenditionRecorder();
  const transcoder = new Transcoder({
    engine,
    sink: made,
    logger,
    ladder: options.ladder ?? DEFAULT_LADDER,
    timings: { drainMs: 20_000, ...options.timings },
  });
  opened.push(transcoder);
  return { transcoder, made, logger, engine };
}

/** Feeds access units as their decode times say, until they are over or `stop` is called. */
function feedLive(
  transcoder: Transcoder,
  units: readonly AccessUnit[],
): { readonly over: Promise<void>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const began = performance.now();
  const first = units[0]?.dts ?? 0;
  let next = 0;
  const timer = setInterval(() => {
    const due = first + (performance.now() - began) * 90;
    for (let unit = units[next]; unit !== undefined && unit.dts <= due; unit = units[next]) {
      next += 1;
      transcoder.onAccessUnit(unit);
    }
    if (next >= units.length) stop();
  }, 5);
  function stop() {
    clearInterval(timer);
    resolve();
  }
  return { over: promise, stop };
}

/** `count` times the same footage, one after the other. */
function repeated(footage: readonly AccessUnit[], ticks: number, count: number): AccessUnit[] {
  return Array.from({ length: count }, (_, i) => later(footage, i * ticks)).flat();
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Access units as a transport stream on disk, for other people's programs. */
async function writeStream(file: string, units: readonly AccessUnit[]): Promise<string> {
  const chunks: Uint8Array[] = [];
  const muxer = new TsMuxer((chunk) => void chunks.push(chunk));
  for (const unit of units) muxer.onAccessUnit(unit);
  await writeFile(file, Buffer.concat(chunks));
  return file;
}

/** What an FFmpeg that went through well had to say. */
async function heard(args: readonly string[]): Promise<string> {
  const ran = await runFfmpeg(SYSTEM_FFMPEG, ["-hide_banner", "-nostdin", ...args], 60_000);
  if (ran.outcome !== "exited" || ran.code !== 0) throw new Error(JSON.stringify(ran));
  return ran.stderr;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "klieg-transcode-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(BINARIES)("TRN1: $name makes every frame, at its time, with the source's keyframes", ({ ffmpeg }) => {
  test.each([
    { frameRate: 25, gop: 50, bFrames: 0 },
    { frameRate: 30, gop: 45, bFrames: 3 },
    { frameRate: 24, gop: 24, bFrames: 2 },
  ])("of $frameRate frames a second with $bFrames B-frames", async (shape) => {
    const footage = later(await makeFootage({ width: 640, height: 360, seconds: 3, ffmpeg, ...shape }), 123_456_789);
    const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("240p:400k,144p:200k") });
    for (const unit of footage) transcoder.onAccessUnit(unit);
    await transcoder.drain();
    for (const name of ["240p", "144p"]) {
      expect(made.times(name)).toEqual(videoTimes(footage));
      expect(made.keyframes(name)).toEqual(videoKeyframes(footage));
    }
    expect(transcoder.health()).toMatchObject({ restarts: 0, last_error: null });
  });

  test.each([50, 60])(
    "of %i frames a second: all from 720p on, every other below, every keyframe everywhere",
    async (frameRate) => {
      // An odd number of frames between keyframes: every other frame must be counted from each of them.
      const footage = await makeFootage({ width: 900, height: 900, seconds: 1, gop: 25, frameRate, ffmpeg });
      const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("720p:1M,240p:300k") });
      for (const unit of footage) transcoder.onAccessUnit(unit);
      await transcoder.drain();
      const times = videoTimes(footage);
      const keyframes = videoKeyframes(footage);
      expect(made.times("720p")).toEqual(times);
      const halved = keyframes.flatMap((keyframe, i) => {
        const group = times.filter((pts) => pts >= keyframe && pts < (keyframes[i + 1] ?? Number.POSITIVE_INFINITY));
        return group.filter((_, frame) => frame % 2 === 0);
      });
      expect(made.times("240p")).toEqual(halved);
      for (const name of ["720p", "240p"]) expect(made.keyframes(name)).toEqual(keyframes);
      expect(made.of("240p")[0]?.track).toMatchObject({ frameRate: frameRate / 2 });
    },
  );

  test("and what it makes is that picture: decoded by FFmpeg without a complaint, alike to the source", async () => {
    const footage = await makeFootage({ width: 640, height: 360, seconds: 2, gop: 30, bFrames: 2 });
    const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("240p:800k") });
    for (const unit of footage) transcoder.onAccessUnit(unit);
    await transcoder.drain();
    const source = await writeStream(path.join(folder, "source.ts"), footage);
    const rendition = await writeStream(path.join(folder, "rendition.ts"), made.of("240p"));
    const compared = await heard([
      ...["-xerror", "-i", rendition, "-i", source],
      ...["-lavfi", "[1:v]scale=426:240:flags=bicubic[s];[0:v][s]ssim", "-f", "null", "-"],
    ]);
    expect(compared).not.toMatch(/error|corrupt|invalid|missing/i);
    expect(Number(/frame= *(\d+)/g.exec(compared.slice(compared.lastIndexOf("frame=")))?.[1])).toBe(60);
    expect(Number(/All:([\d.]+)/.exec(compared)?.[1])).toBeGreaterThan(0.93);
  });

  test("and keeps to its bit rate, with noise for a picture", async () => {
    const footage = await makeFootage({ width: 640, height: 360, seconds: 3, gop: 60, noise: true });
    const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("240p:400k") });
    for (const unit of footage) transcoder.onAccessUnit(unit);
    await transcoder.drain();
    expect(made.times("240p")).toEqual(videoTimes(footage));
    const bits = made.of("240p").reduce((sum, { data }) => sum + data.byteLength * 8, 0);
    expect(bits / 3).toBeLessThan(400_000 * 1.3);
    expect(bits / 3).toBeGreaterThan(400_000 * 0.6);
  });

  test("from HEVC too, and then also at the source's size, which not every browser can play", async () => {
    const footage = await makeFootage({ width: 426, height: 240, seconds: 2, codec: "libx265", bFrames: 2 });
    const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("240p:400k,144p:200k") });
    for (const unit of footage) transcoder.onAccessUnit(unit);
    await transcoder.drain();
    for (const name of ["240p", "144p"]) {
      expect(made.times(name)).toEqual(videoTimes(footage));
      expect(made.keyframes(name)).toEqual(videoKeyframes(footage));
    }
    expect(made.of("240p")[0]?.track).toMatchObject({ codec: "h264", width: 426, height: 240 });
  });

  test.skipIf(!existsSync(SYSTEM_FFMPEG))("from AV1 too, with Opus beside it", async () => {
    const opus = await makeFootage({ seconds: 2, audio: "libopus" });
    const sound = opus.filter(({ track }) => track.kind === "audio");
    const footage = [...(await av1Footage()), ...sound].toSorted((a, b) => a.dts - b.dts);
    const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("180p:300k,90p:100k") });
    for (const unit of footage) transcoder.onAccessUnit(unit);
    await transcoder.drain();
    for (const name of ["180p", "90p"]) {
      expect(made.times(name)).toEqual(videoTimes(footage));
      expect(made.keyframes(name)).toEqual(videoKeyframes(footage));
    }
    expect(made.of("audio").length).toBeGreaterThan(90);
  });
});

/** IVF is the simplest thing that FFmpeg writes AV1 to: a header and length-prefixed temporal units. */
async function av1Footage(): Promise<AccessUnit[]> {
  const file = path.join(folder, "av1.ivf");
  await heard([
    ...["-y", "-loglevel", "error", "-f", "lavfi"],
    ...["-i", "testsrc2=size=320x180:rate=30:duration=2", "-pix_fmt", "yuv420p"],
    ...["-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-g", "30", "-b:v", "300k", file],
  ]);
  const bytes = await readFile(file);
  const stream = new Av1ElementaryStream(0);
  const units: AccessUnit[] = [];
  for (let at = 32, frame = 0; at + 12 <= bytes.length; frame += 1) {
    const size = bytes.readUInt32LE(at);
    const { data, keyframe } = stream.push(bytes.subarray(at + 12, at + 12 + size));
    at += 12 + size;
    if (stream.track === undefined) continue;
    units.push({ track: stream.track, dts: frame * 3000, pts: frame * 3000, keyframe, data });
  }
  return units;
}

describe.each(BINARIES)("TRN4: $name makes sound into AAC that stays with the picture", ({ ffmpeg }) => {
  test.each(["libopus", "libmp3lame"] as const)("from %s", async (audio) => {
    // Silence, a tone from 1 s to 2 s, silence.
    const audioFilter = "volume=0:enable='lt(t,1)+gt(t,2)'";
    const footage = later(await makeFootage({ seconds: 3, audio, audioFilter }), 50_000_000);
    const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("90p:100k") });
    for (const unit of footage) transcoder.onAccessUnit(unit);
    await transcoder.drain();
    const onsets = [];
    for (const units of [footage.filter(({ track }) => track.kind === "audio"), made.of("audio")]) {
      const file = await writeStream(path.join(folder, "sound.ts"), units);
      const stderr = await heard([
        ...["-copyts", "-i", file, "-af", "silencedetect=noise=-40dB:d=0.3", "-f", "null", "-"],
      ]);
      onsets.push(
        [/silence_end: ([\d.]+)/, /silence_start: [\d.]+[\s\S]*silence_start: ([\d.]+)/].map((time) =>
          Number(time.exec(stderr)?.[1]),
        ),
      );
    }
    const [source, aac] = onsets as [number[], number[]];
    expect(source[0]).toBeGreaterThan(556.4);
    for (const i of [0, 1]) expect(Math.abs((aac[i] as number) - (source[i] as number))).toBeLessThan(0.025);
  });
});

describe.each(BINARIES)(
  "TRN6: $name that is killed or frozen is back within three seconds, and nothing is missing",
  ({ ffmpeg }) => {
    test.each(["SIGKILL", "SIGSTOP"] as const)("%s", async (signal) => {
      const footage = repeated(await makeFootage({ seconds: 2, gop: 60, bFrames: 2 }), 180_000, 5);
      const { transcoder, made } = await setUp({ ffmpeg, ladder: parseLadder("120p:200k,90p:100k") });
      const live = feedLive(transcoder, footage);
      await made.until(() => made.of("90p").length > 90);
      const pid = transcoder.pid as number;
      const before = made.of("90p").length;
      const restarted = transcoder.events.once("restart");
      const struck = performance.now();
      process.kill(pid, signal);
      await restarted;
      const told = made.of("90p").length;
      await made.until(() => made.of("90p").length > told);
      expect(performance.now() - struck).toBeLessThan(3000);
      expect(told - before).toBeLessThan(10);
      await live.over;
      await transcoder.drain();
      for (const name of ["120p", "90p"]) {
        expect(videoTimes(footage).filter((pts) => !made.times(name).includes(pts)).length).toBeLessThanOrEqual(1);
        expect(made.keyframes(name)).toEqual(videoKeyframes(footage));
      }
      expect(alive(pid)).toBe(false);
      expect(transcoder.health().restarts).toBe(1);
    });
  },
);

describe.runIf(existsSync(SYSTEM_FFMPEG))("TRN6: a machine that is too slow", () => {
  test("makes fewer renditions instead of stalling, and more again when it can", async () => {
    const marker = path.join(folder, "slow");
    await writeFile(marker, "");
    // While the marker is there, two renditions are made at half speed.
    await using fake = await fakeFfmpeg({
      first: `case " $* " in *"[v1]"*" pipe:1 ") if [ -e '${marker}' ]; then exec ${SYSTEM_FFMPEG} -readrate 0.5 "$@"; fi ;; esac`,
      real: SYSTEM_FFMPEG,
    });
    const { transcoder, made } = await setUp({
      ffmpeg: fake.path,
      ladder: parseLadder("120p:200k,90p:100k"),
      timings: { restoreMs: 4000 },
    });
    const GOP = 30;
    const footage = repeated(await makeFootage({ seconds: 2, gop: GOP }), 180_000, 20);
    const live = feedLive(transcoder, footage);
    const degraded = await transcoder.events.once("degraded");
    expect(degraded).toMatchObject({ removed: "120p" });
    expect(degraded.reason).toMatch(/FFmpeg makes 0\.\d+ seconds/);
    await rm(marker);
    expect(transcoder.renditions.map(({ name }) => name)).toEqual(["90p"]);
    expect(await transcoder.events.once("restored")).toEqual({ added: "120p" });
    const count = made.of("120p").length;
    await made.until(() => made.of("120p").length > count + 60);
    live.stop();
    await transcoder.drain();
    // The lowest was made all the time. How far FFmpeg was behind when it was changed depends on the machine: within
    // three seconds nothing is missing; beyond them the new one begins at a keyframe, a GOP further on at the most.
    const times = new Set(made.times("90p"));
    const last = made.times("90p").at(-1) as number;
    expect(videoTimes(footage).filter((pts) => pts < last && !times.has(pts)).length).toBeLessThanOrEqual(GOP);
  });
});

describe.runIf(process.platform === "linux")("TRN6: no FFmpeg outlives a backend that was killed", () => {
  test.each(["running", "stopped"] as const)("%s", async (state) => {
    const at = (file: string) =>
      JSON.stringify(path.resolve(import.meta.dirname, "../../apps/backend/src/transcode", file));
    const script = `
      import { makeFootage } from "@klieg/ffmpeg/testing";
      import { RecordingLogger } from ${at("../testing/recording-logger.ts")};
      import { TranscodeEngine } from ${at("transcode-engine.ts")};
      import { Transcoder } from ${at("transcoder.ts")};
      import { parseLadder } from ${at("ladder.ts")};
      const engine = await TranscodeEngine.start({ logger: new RecordingLogger(), hardware: false });
      let told = false;
      const transcoder = new Transcoder({ engine, logger: new RecordingLogger(), ladder: parseLadder("90p:100k"), sink: {
        onAccessUnit() {
          if (told) return;
          told = true;
          if (${JSON.stringify(state)} === "stopped") process.kill(transcoder.pid, "SIGSTOP");
          console.log(transcoder.pid);
        },
      } });
      for (const unit of await makeFootage()) transcoder.onAccessUnit(unit);
    `;
    const backend = spawn(process.execPath, ["--input-type=module", "-e", script], {
      cwd: path.resolve(import.meta.dirname, "../../apps/backend"),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const early = once(backend, "exit").then(([code]) => {
      throw new Error(`the stand-in for the backend ended with ${code} before FFmpeg made anything`);
    });
    const [line] = (await Promise.race([once(backend.stdout, "data"), early])) as [Buffer];
    early.catch(() => undefined);
    const pid = Number(line.toString());
    expect(alive(pid)).toBe(true);
    backend.kill("SIGKILL");
    await once(backend, "exit");
    const deadline = performance.now() + 3000;
    while (alive(pid) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(alive(pid)).toBe(false);
  });
});

import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock, systemClock } from "@klieg/base";
import { type FfmpegBinary, runFfmpeg, type VideoEncoder } from "@klieg/ffmpeg";
import { INSTALLED_FFMPEG } from "@klieg/ffmpeg/testing";
import type { AccessUnit } from "@klieg/media";
import { type CaptureFrame, type CaptureStatus, readCaptureFrame } from "@klieg/protocol";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CaptureFeed, type CaptureFeedOptions, type FeedStatus } from "./capture-feed.ts";
import { PageCapture } from "./page-capture.ts";
import type { FfmpegInput } from "./stream-address.ts";

const X264: VideoEncoder = { name: "libx264", hardware: false, device: undefined, options: new Set() };
const NVENC: VideoEncoder = { name: "h264_nvenc", hardware: true, device: undefined, options: new Set() };
const INPUT: FfmpegInput = { args: ["-i", "rtsp://u:hidden@camera/1"], isFile: false, secrets: ["hidden"] };
const FILE: FfmpegInput = { args: ["-i", "file:film"], isFile: true, secrets: [] };

let folder: string;
/** 2 s of H.264, a keyframe every 10 pictures, in MPEG-TS. */
let film: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-capture-"));
  film = join(folder, "film.ts");
  const picture = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=2", "-pix_fmt", "yuv420p"];
  const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-sc_threshold", "0", film];
  const made = await runFfmpeg(INSTALLED_FFMPEG, ["-v", "error", ...picture, ...coding], 20_000);
  expect(made).toMatchObject({ outcome: "exited", code: 0 });
});
afterAll(() => rm(folder, { recursive: true }));

/** What stands in for FFmpeg: a script, and what it was called with. */
async function scripted(name: string, body: string) {
  const path = join(folder, name);
  const calls = `${path}.calls`;
  await writeFile(path, `#!/bin/sh\necho "$*" >> "${calls}"\n${body}\n`);
  await chmod(path, 0o755);
  const binary = { path, release: [5, 1], year: 2022 } as unknown as FfmpegBinary;
  return { binary, calls: async () => (await readFile(calls, "utf8").catch(() => "")).trim().split("\n") };
}

const says = (video: string) =>
  [`[info] Input #0, rtsp, from 'a':`, `[info]   Stream #0:0: Video: ${video}`, "[info] Stream mapping:"]
    .map((line) => `echo "${line}" >&2`)
    .join("\n");
const H264 = says("h264 (High), yuv420p(progressive), 64x64 [SAR 1:1 DAR 1:1], 25 fps, 25 tbr");
const HEVC = says("hevc (Main), yuv420p(tv), 640x360 [SAR 1:1 DAR 16:9], 25 fps, 25 tbr");

function feedOf(binary: FfmpegBinary, more: Partial<CaptureFeedOptions> = {}) {
  const clock = new ManualClock();
  const statuses: FeedStatus[] = [];
  const units: AccessUnit[] = [];
  const feed = new CaptureFeed({
    binary,
    cores: 2,
    clock,
    input: INPUT,
    convert: false,
    chooseEncoder: async () => ({ encoder: X264, software: X264 }),
    onStatus: (status) => statuses.push(status),
    onAccessUnit: (unit) => units.push(unit),
    ...more,
  });
  const becomes = (state: FeedStatus["state"], times = 1) =>
    vi.waitFor(() => expect(statuses.filter((status) => status.state === state)).toHaveLength(times), { interval: 5 });
  return { feed, clock, statuses, units, becomes };
}

describe("a source that FFmpeg opens (STU1, TRN3)", () => {
  test("is tried again, later each time, and says why without its password", async () => {
    const { binary } = await scripted(
      "refused",
      `echo "[error] rtsp://u:hidden@camera/1: Connection refused" >&2; exit 1`,
    );
    const { feed, clock, statuses, becomes } = feedOf(binary);
    await using _ = feed;
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await becomes("reconnecting", attempt);
      const status = statuses.at(-1) as FeedStatus;
      const wait = (status.next_attempt_at as number) - clock.wall();
      waits.push(wait);
      expect(status.problem).toMatchObject({ code: "unreachable" });
      expect(status.problem?.message).not.toContain("hidden");
      clock.advance(wait);
    }
    expect(waits).toEqual([500, 1000, 2000, 5000]);
  });

  test("is not tried again where its user has to do something", async () => {
    const { binary, calls } = await scripted(
      "unauthorized",
      `echo "[error] Server returned 401 Unauthorized" >&2; exit 1`,
    );
    const { feed, clock, statuses, becomes } = feedOf(binary);
    await using _ = feed;
    await becomes("failed");
    expect(statuses.at(-1)).toMatchObject({ problem: { code: "unauthorized" }, next_attempt_at: null });
    clock.advance(60_000);
    expect(await calls()).toHaveLength(1);
  });

  test("that says nothing is given up after a while, and what hangs is killed", async () => {
    const { binary } = await scripted("hangs", "exec sleep 600");
    const { feed, clock, statuses, becomes } = feedOf(binary);
    await using _ = feed;
    clock.advance(16_000);
    await becomes("reconnecting");
    expect(statuses.at(-1)?.problem?.code).toBe("timeout");
    clock.advance(500);
    await feed.close();
  });

  test("is handed on as it is where browsers take it, and opened anew when it falls silent", async () => {
    const { binary, calls } = await scripted("copies", `${H264}\ncat "${film}"\nexec sleep 600`);
    const { feed, clock, statuses, units, becomes } = feedOf(binary);
    await using _ = feed;
    await vi.waitFor(() => expect(units.length).toBeGreaterThan(45), { interval: 5 });
    expect(units[0]).toMatchObject({ keyframe: true, track: { codec: "h264", width: 64 } });
    expect(statuses.at(-1)).toMatchObject({
      state: "live",
      video: { codec: "h264", width: 64, height: 64, frame_rate: 25, converted: false },
      audio: null,
    });
    expect((await calls())[0]).toContain("-c:v copy");
    clock.advance(9000);
    await becomes("reconnecting");
  });

  test("is converted by another FFmpeg where browsers do not take it", async () => {
    const { binary, calls } = await scripted("converts", `${HEVC}\nexec sleep 600`);
    const { feed, statuses } = feedOf(binary);
    await using _ = feed;
    await vi.waitFor(async () => expect(await calls()).toHaveLength(2), { interval: 5 });
    const [first = "", second = ""] = await calls();
    expect(first).toContain("-c:v copy");
    expect(second).toContain("-c:v libx264");
    await vi.waitFor(() => expect(statuses.at(-1)?.video).toMatchObject({ codec: "hevc", converted: true }));
  });

  test("goes over to software where the graphics card does not encode it", async () => {
    const body = `${HEVC}\ncase "$*" in *nvenc*) echo "[error] No capable devices found" >&2; exit 1;; esac\nexec sleep 600`;
    const { binary, calls } = await scripted("falls-back", body);
    const chooseEncoder = async () => ({ encoder: NVENC, software: X264 });
    const { feed, clock, becomes } = feedOf(binary, { chooseEncoder });
    await using _ = feed;
    await becomes("reconnecting");
    clock.advance(500);
    await vi.waitFor(async () => expect(await calls()).toHaveLength(3), { interval: 5 });
    expect((await calls()).map((call) => /-c:v (\S+)/.exec(call)?.[1])).toEqual(["copy", "h264_nvenc", "libx264"]);
  });

  test("that is a file ends, or fails, once", async () => {
    const { binary } = await scripted("file", `${H264}\ncat "${film}"`);
    const played = feedOf(binary, { input: FILE });
    await using _ = played.feed;
    await played.becomes("ended");
    expect(played.units).toHaveLength(50);
    const { binary: broken } = await scripted("broken", `echo "[error] film: Invalid data found" >&2; exit 1`);
    const failed = feedOf(broken, { input: FILE });
    await using _failed = failed.feed;
    await failed.becomes("failed");
    expect(failed.statuses.at(-1)?.problem?.code).toBe("media_unsupported");
  });
});

test("STU1: a page that does not keep up loses pictures up to a keyframe, and is told how many", async () => {
  const { binary } = await scripted("page", `${H264}\ncat "${film}"\nexec sleep 600`);
  const frames: CaptureFrame[] = [];
  const told: CaptureStatus[] = [];
  const pictures = () => frames.filter(({ kind }) => kind === "avc");
  let looks = 0;
  const page = {
    sendMedia: (message: Uint8Array<ArrayBuffer>) => {
      const frame = readCaptureFrame(message);
      if (frame !== undefined) frames.push(frame);
    },
    /** What was sent by the fifteenth picture waits; ten pictures later it has left. */
    get behind() {
      if (pictures().length !== 15) return 0;
      looks += 1;
      return looks <= 10 ? 64 * 1024 * 1024 : 0;
    },
    tellCapture: (status: CaptureStatus) => told.push(status),
  };
  await using capture = new PageCapture(7, page, {
    binary,
    cores: 2,
    clock: systemClock,
    input: INPUT,
    convert: false,
    chooseEncoder: async () => ({ encoder: X264, software: X264 }),
  });
  await vi.waitFor(() => expect(told.at(-1)?.state).toBe("live"), { interval: 5 });
  await vi.waitFor(() => expect(pictures()).toHaveLength(35), { interval: 5 });
  expect(frames[0]).toMatchObject({ kind: "avc_config", capture: 7 });
  // The sixteenth to the twenty-fifth were too many, those up to the next keyframe are of no use without them.
  expect(pictures()[15]?.keyframe).toBe(true);
  expect(capture.status.dropped_frames).toBe(15);
  await vi.waitFor(() => expect(told.at(-1)?.dropped_frames).toBe(15), { interval: 20, timeout: 3000 });
});

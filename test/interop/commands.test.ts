import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { readClockStrip } from "../../scripts/demo/clock-strip.ts";
import { BackendProcess } from "../harness/backend.ts";
import { Child } from "../harness/child.ts";
import { readMultivariant, readPlaylist } from "../harness/hls-follower.ts";
import { until } from "../harness/until.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const RUN = path.join(ROOT, "scripts/run.mjs");
const FRAME = { width: 640, height: 360 };

describe("npm start", () => {
  test("prints every address and the first stream key, answers, and goes in peace on SIGTERM", async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), "klieg-start-"));
    try {
      const env = {
        KLIEG_HTTP_PORT: "0",
        KLIEG_RTMP_PORT: "0",
        KLIEG_SRT_PORT: "0",
        KLIEG_RTC_PORT: "0",
        KLIEG_DATA_DIR: dataDir,
      };
      await using start = new Child(process.execPath, [RUN, "start"], { env, cwd: ROOT, graceMs: 15_000 });
      const [, watch = ""] = await start.line(/(http:\/\/localhost:\d+\/watch\/demo)/, 100_000);
      await start.line(/rtmp:\/\/localhost:\d+\/live/);
      await start.line(/srt:\/\/localhost:\d+\?streamid=demo_\w+/);
      const [, key] = await start.line(/Stream key +(\S+)/);
      expect(key).toMatch(/^demo_\w+/);
      const page = await fetch(watch);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<script type="module"');

      start.signal("SIGTERM");
      expect(await start.exited).toEqual({ code: 0, signal: null });
      await expect(fetch(watch)).rejects.toThrow();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test("a setting that is wrong ends it with words and the exit code of the backend", async () => {
    await using start = new Child(process.execPath, [RUN, "start"], { env: { KLIEG_HTTP_PORT: "high" }, cwd: ROOT });
    await start.line(/KLIEG_HTTP_PORT: a whole number is wanted/, 100_000);
    expect(await start.exited).toEqual({ code: 78, signal: null });
  });
});

describe("npm run demo", () => {
  test.each([[[]], [["--srt"]]])("with %j: its clock can be read at the live edge", async (options) => {
    await using backend = await BackendProcess.start();
    const args = [RUN, "demo", "--data-dir", backend.dataDir, "--size", "640x360", ...options];
    await using demo = new Child(process.execPath, args, { cwd: ROOT });
    await backend.live();
    await demo.line(new RegExp(`Watch it at http://localhost:${backend.ports.http}/watch/demo`));

    const frame = await until(() => newestFrame(backend), { what: "a frame", diagnose: () => demo.output });
    const time = readClockStrip((x, y) => frame.luma[y * FRAME.width + x]!, FRAME.width, FRAME.height);
    expect(time).toBeLessThan(frame.fetchedAt);
    // Generous: this machine is encoding, serving and decoding at once. The budget is held by the bench.
    expect(frame.fetchedAt - time!).toBeLessThan(3000);

    demo.signal("SIGINT");
    expect(await demo.exited).toEqual({ code: 0, signal: null });
  });

  test("says what to do where no backend runs", async () => {
    await using demo = new Child(process.execPath, [RUN, "demo", "--data-dir", "/nowhere"], { cwd: ROOT });
    await demo.line(/No backend has been started with the data folder \/nowhere/);
    await demo.line(/npm start/);
    expect((await demo.exited).code).toBe(1);
  });
});

/** The last frame of the newest independent part, decoded; undefined while there is none. */
async function newestFrame(backend: BackendProcess) {
  const live = await fetch(`${backend.http}/v1/channels/demo/live.m3u8`);
  if (!live.ok) return undefined;
  const url = readMultivariant(await live.text(), live.url).variants[0]?.url;
  if (url === undefined) return undefined;
  const playlist = readPlaylist(await (await fetch(url)).text());
  const part = playlist.parts.findLast(({ independent }) => independent);
  if (part === undefined || playlist.map === undefined) return undefined;
  const pieces = await Promise.all(
    [playlist.map, part.uri].map(async (uri) => Buffer.from(await (await fetch(new URL(uri, url))).arrayBuffer())),
  );
  const fetchedAt = Date.now();
  const decode = ["-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"];
  await using ffmpeg = new Child("ffmpeg", decode);
  const chunks: Buffer[] = [];
  ffmpeg.process.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  ffmpeg.process.stdin.end(Buffer.concat(pieces));
  expect((await ffmpeg.exited).code).toBe(0);
  const frames = Buffer.concat(chunks);
  return { luma: frames.subarray(frames.length - FRAME.width * FRAME.height), fetchedAt };
}

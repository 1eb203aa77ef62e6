import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { findFfmpeg } from "../../packages/ffmpeg/src/index.ts";
import { CLOCK_STRIP, readClockStrip } from "./clock-strip.ts";
import { programmeArguments } from "./programme.ts";

const found = await Promise.all([findFfmpeg(), findFfmpeg({ searchPath: "" })]);
const ffmpegs = [...new Set(found.flatMap(({ binary }) => (binary === undefined ? [] : [binary.path])))];

describe.each(ffmpegs)("%s", (ffmpeg) => {
  test("the time burnt into the picture is read back after encoding and scaling", { timeout: 30_000 }, () => {
    const size = { width: 426, height: 240 };
    const before = Date.now();
    const encode = ["-t", "0.7", "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "1500k", "-f", "mpegts", "-"];
    const programme = programmeArguments({ width: 1280, height: 720, frameRate: 30, caption: "it's 100%: a test" });
    const encoded = spawnSync(
      ffmpeg,
      ["-v", "error", ...programme, "-map", "[picture]", "-map", "[tone]", "-c:a", "aac", ...encode],
      { maxBuffer: 64e6 },
    );
    const after = Date.now();
    expect(encoded.status, encoded.stderr.toString()).toBe(0);
    const decode = [
      "-i",
      "-",
      "-an",
      "-vf",
      `scale=${size.width}:${size.height}`,
      "-f",
      "rawvideo",
      "-pix_fmt",
      "gray",
      "-",
    ];
    const decoded = spawnSync(ffmpeg, ["-v", "error", ...decode], { input: encoded.stdout, maxBuffer: 64e6 });
    expect(decoded.status, decoded.stderr.toString()).toBe(0);

    const frameBytes = size.width * size.height;
    const frames = decoded.stdout.length / frameBytes;
    expect(frames).toBeGreaterThanOrEqual(20);
    let last = before;
    for (let frame = 0; frame < frames; frame += 1) {
      const luma = decoded.stdout.subarray(frame * frameBytes, (frame + 1) * frameBytes);
      const time = readClockStrip((x, y) => luma[y * size.width + x]!, size.width, size.height);
      expect(time).toBeGreaterThanOrEqual(last);
      expect(time).toBeLessThanOrEqual(after);
      last = time!;
    }
    expect(last - before).toBeGreaterThan(500);
  });
});

test("a frame without the strip, or with a torn one, reads as nothing", () => {
  expect(readClockStrip(() => 128, 1280, 720)).toBeUndefined();
  const top = 720 * CLOCK_STRIP.top;
  const halfway = (x: number, y: number) => (x < 640 ? (y < top + 720 * (CLOCK_STRIP.height / 2) ? 200 : 40) : 128);
  expect(readClockStrip(halfway, 1280, 720)).toBeUndefined();
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { Child, run } from "../harness/child.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { expectServed, watch } from "../harness/served.ts";

requirePackages("ffmpeg");

const ENCODER = join(import.meta.dirname, "../harness/enhanced-rtmp-encoder.ts");
const HEVC = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=1:keyint=60:scenecut=0:bframes=2"];
const AV1 = ["-c:v", "libsvtav1", "-preset", "12", "-g", "60"];
const AAC = ["-c:a", "aac"];
const OPUS = ["-c:a", "libopus", "-b:a", "64k"];

describe("ING1: Enhanced RTMP from FFmpeg 8", () => {
  let backend: BackendProcess;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "klieg-enhanced-"));
    backend = await BackendProcess.start();
  });
  afterAll(async () => {
    await backend[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it.concurrent.each([
    { channel: "hevc-aac", video: HEVC, audio: AAC, videoCodec: "hevc", audioCodec: "aac", channels: 2 },
    { channel: "hevc-opus", video: HEVC, audio: OPUS, videoCodec: "hevc", audioCodec: "opus", channels: 1 },
    { channel: "av1-opus", video: AV1, audio: OPUS, videoCodec: "av1", audioCodec: "opus", channels: 2 },
  ] as const)("$channel", async ({ channel, video, audio, videoCodec, audioCodec, channels }) => {
    const key = await backend.openChannel(channel);
    const clip = join(folder, `${channel}.mp4`);
    await run("ffmpeg", [
      ...["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "20", "-pix_fmt", "yuv420p"],
      ...[...video, ...audio, "-ac", String(channels), clip],
    ]);
    await using encoder = new Child(process.execPath, [ENCODER, clip, backend.rtmpUrl(key)]);
    const served = await watch(backend, { channel, encoder });
    expectServed(served, {
      ...{ protocol: "rtmp", encoder: /Lavf62[.]/, width: 320, height: 180, fps: 30 },
      // Not every player plays Opus in CMAF: what is served is AAC.
      ...{ videoCodec, audioCodec, servedAudioCodec: "aac", sampleRate: 48_000, channels },
    });
    const seconds = (served.media.video[0]?.playlist.segments ?? []).reduce((sum, { duration }) => sum + duration, 0);
    expect(served.picture?.packets).toHaveLength(Math.round(seconds * 30));
  });
});

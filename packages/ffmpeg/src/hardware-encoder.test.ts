import { describe, expect, test } from "vitest";
import { type FfmpegBinary, findFfmpeg } from "./ffmpeg-binary.ts";
import { chooseEncoder, hardwareCandidates, tryEncoder } from "./hardware-encoder.ts";
import { type FakeHardware, fakeFfmpeg } from "./testing/fake-ffmpeg.ts";
import type { VideoEncoderName } from "./video-encoder.ts";

async function found(configured: string): Promise<FfmpegBinary> {
  const { binary } = await findFfmpeg({ configured, searchPath: "" });
  if (binary === undefined) throw new Error("no FFmpeg");
  return binary;
}

describe("TRN3: hardware encoders are proved by a test encode", () => {
  test("one that makes what was asked for is chosen before software", async () => {
    await using fake = await fakeFfmpeg({ trial: "works" });
    const choice = await chooseEncoder(await found(fake.path), { cores: 2, platform: "linux", renderNodes: [] });
    expect(choice.encoder).toMatchObject({ name: "h264_qsv", hardware: true });
    expect(choice.software).toMatchObject({ name: "libx264", hardware: false });
    expect(choice.trials).toMatchObject([
      { encoder: "h264_nvenc", outcome: "missing", reason: "is not in this FFmpeg" },
      { encoder: "h264_qsv", outcome: "ok", reason: "" },
      { encoder: "libx264", outcome: "ok", reason: "" },
    ]);
    expect(choice.pixelsPerCoreSecond).toBeGreaterThan(5e6);
  });

  test.each<[FakeHardware, string, string]>([
    ["fails", "failed", "ended with code 1: [h264_qsv] Error initializing an internal MFX session"],
    ["hangs", "hung", "hung, and was killed after"],
    ["dies", "died", "died by SIGSEGV"],
    ["lies", "wrong", "made 0 of 30 frames"],
    ["ignores", "wrong", "keyframes at 0 instead of 0,45000"],
  ])("one that %s is passed over, and said to have %s", async (trial, outcome, reason) => {
    await using fake = await fakeFfmpeg({ trial });
    const binary = await found(fake.path);
    const { trial: result, encoder } = await tryEncoder(binary, "h264_qsv", undefined, {
      cores: 2,
      timeoutMs: trial === "hangs" ? 300 : 5000,
    });
    expect(encoder).toBeUndefined();
    expect(result).toMatchObject({ encoder: "h264_qsv", outcome });
    expect(result.reason).toContain(reason);
  });

  test.concurrent.each<[VideoEncoderName, NodeJS.Platform, string | undefined]>([
    ["h264_nvenc", "linux", undefined],
    ["h264_qsv", "win32", undefined],
    ["h264_vaapi", "linux", "/dev/dri/renderD128"],
    ["h264_amf", "win32", undefined],
    ["h264_videotoolbox", "darwin", undefined],
  ])(
    "%s: looked for on %s, taken where it works, passed over where it fails or hangs",
    async (hardware, platform, device) => {
      const where = { platform, renderNodes: device === undefined ? [] : [device] };
      expect(await hardwareCandidates(where)).toContainEqual({ name: hardware, device });
      const outcomes = (["works", "fails", "hangs"] as const).map(async (trial) => {
        await using fake = await fakeFfmpeg({ hardware, trial });
        const timeoutMs = trial === "hangs" ? 300 : 8000;
        const tried = await tryEncoder(await found(fake.path), hardware, device, { cores: 2, timeoutMs });
        return [tried.trial.outcome, tried.trial.reason, tried.encoder?.name];
      });
      expect(await Promise.all(outcomes)).toEqual([
        ["ok", "", hardware],
        ["failed", `ended with code 1: [${hardware}] Error initializing an internal MFX session`, undefined],
        ["hung", expect.stringContaining("hung, and was killed after"), undefined],
      ]);
    },
  );

  test("without hardware software is chosen, and the choice is kept for the binary", async () => {
    await using fake = await fakeFfmpeg({ trial: "fails" });
    const binary = await found(fake.path);
    const options = { cores: 1, platform: "linux", renderNodes: [] } as const;
    const choice = await chooseEncoder(binary, options);
    expect(choice.encoder.name).toBe("libx264");
    expect(choice.encoder).toBe(choice.software);
    expect(choice.trials.map(({ encoder, outcome }) => [encoder, outcome])).toEqual([
      ["h264_nvenc", "missing"],
      ["h264_qsv", "failed"],
      ["h264_vaapi", "missing"],
      ["libx264", "ok"],
    ]);
    expect(await chooseEncoder(binary, options)).toBe(choice);
  });

  test("hardware that is not wanted is not tried", async () => {
    await using fake = await fakeFfmpeg({ trial: "hangs" });
    const choice = await chooseEncoder(await found(fake.path), { cores: 1, hardware: false });
    expect(choice.trials.map(({ encoder }) => encoder)).toEqual(["libx264"]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { OBS_PICTURE, Obs, Screen } from "../harness/obs.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { expectServed, watch } from "../harness/served.ts";
import { until } from "../harness/until.ts";

requirePackages("ffmpeg", "obs-studio", "obs-plugins", "xvfb", "libgl1-mesa-dri");

describe("ING1 ING2: OBS", () => {
  let backend: BackendProcess;
  let screen: Screen;
  beforeAll(async () => {
    screen = await Screen.open();
    backend = await BackendProcess.start();
  });
  afterAll(async () => {
    await backend[Symbol.asyncDispose]();
    await screen[Symbol.asyncDispose]();
  });

  const rtmpServer = () => `rtmp://127.0.0.1:${backend.ports.rtmp}/live`;

  it.each([
    { protocol: "rtmp" as const, encoder: /FMLE/, fps: 30, sampleRate: 48_000, channels: 2 as const, bFrames: 2 },
    {
      protocol: "srt" as const,
      encoder: /^libsrt 1[.]/,
      fps: 25,
      sampleRate: 44_100,
      channels: 1 as const,
      bFrames: 0,
    },
  ])("streams over $protocol, and stops when it is told to", async ({ protocol, encoder, ...options }) => {
    const channel = `obs-${protocol}`;
    const key = await backend.openChannel(channel);
    const service =
      protocol === "rtmp"
        ? { server: rtmpServer(), key }
        : { server: `srt://127.0.0.1:${backend.ports.srt}?streamid=publish:${key}`, key: "" };
    await using obs = await Obs.start({ screen, ...service, ...options });
    const served = await watch(backend, { channel, encoder: obs, timeoutMs: 60_000 });
    expectServed(served, { protocol, encoder, ...OBS_PICTURE, ...options });
    await obs.stopStreaming();
    await until(async () => (await backend.channel(channel)).state === "interrupted", {
      what: "the end of the source",
      diagnose: () => obs.output,
    });
    await obs.line(/==== Streaming Stop ====/);
  });

  it("is told why a wrong key is refused, and its user can read it", async () => {
    const key = "nonsense";
    const picture = { fps: 30, sampleRate: 48_000, channels: 2, bFrames: 0 } as const;
    await using obs = await Obs.start({ screen, server: rtmpServer(), key, ...picture });
    await obs.line(/This stream key is not valid/, 60_000);
    expect((await backend.channel()).state).toBeNull();
  });
});

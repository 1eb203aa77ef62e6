import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { Child } from "../harness/child.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { expectServed, watch } from "../harness/served.ts";

requirePackages(
  "ffmpeg",
  "gstreamer1.0-tools",
  "gstreamer1.0-plugins-base",
  "gstreamer1.0-plugins-good",
  "gstreamer1.0-plugins-bad",
  "gstreamer1.0-plugins-ugly",
  "gstreamer1.0-libav",
);

const PASSPHRASE = "a long enough phrase";

interface PipelineOptions {
  readonly muxer: readonly string[];
  readonly sink: readonly string[];
  readonly fps: number;
  readonly bFrames?: number;
  readonly sampleRate: number;
  readonly channels: number;
}

/** A ball and a tone from GStreamer in real time. */
function gstreamer({ muxer, sink, fps, bFrames = 0, sampleRate, channels }: PipelineOptions): Child {
  const video = [
    ...["videotestsrc", "is-live=true", "pattern=ball", "!", `video/x-raw,width=320,height=180,framerate=${fps}/1`],
    ...["!", "x264enc", "speed-preset=ultrafast", "bitrate=300", `key-int-max=${fps * 2}`, `bframes=${bFrames}`],
    ...["option-string=scenecut=0:keyint-min=" + fps * 2, "!", "h264parse", "!", "queue", "!", "mux."],
  ];
  const audio = [
    ...["audiotestsrc", "is-live=true", "!", `audio/x-raw,rate=${sampleRate},channels=${channels}`, "!"],
    ...["audioconvert", "!", "avenc_aac", "bitrate=96000", "!", "aacparse", "!", "queue", "!", "mux."],
  ];
  // It ends a pipeline in order, with the muxer's last bytes and the protocol's goodbye, on SIGINT.
  return new Child("gst-launch-1.0", ["-e", ...muxer, "!", ...sink, ...video, ...audio], { stopSignal: "SIGINT" });
}

describe("ING1: GStreamer's rtmp2sink", () => {
  it.each([
    { name: "30 fps, stereo at 48 kHz", fps: 30, sampleRate: 48_000, channels: 2 },
    { name: "25 fps with B-frames, mono at 44.1 kHz", fps: 25, bFrames: 2, sampleRate: 44_100, channels: 1 },
  ])("$name", async ({ name: _, ...options }) => {
    await using backend = await BackendProcess.start();
    await using encoder = gstreamer({
      ...options,
      muxer: ["flvmux", "name=mux", "streamable=true"],
      sink: ["rtmp2sink", `location=${backend.rtmpUrl()}`],
    });
    const served = await watch(backend, { encoder });
    expectServed(served, { ...options, protocol: "rtmp", encoder: /./, width: 320, height: 180 });
    await encoder.stop();
    expect(await backend.channel()).toMatchObject({ live_stream_id: served.stream.id, state: "interrupted" });
  });

  it("shows why a wrong key is refused", async () => {
    await using backend = await BackendProcess.start();
    await using encoder = gstreamer({
      ...{ fps: 30, sampleRate: 48_000, channels: 2 },
      muxer: ["flvmux", "name=mux", "streamable=true"],
      sink: ["rtmp2sink", `location=${backend.rtmpUrl("nonsense")}`],
    });
    await encoder.line(/ERROR: .*rtmp2sink/i);
    expect((await encoder.exited).code).not.toBe(0);
    expect(encoder.output).toContain("This stream key is not valid");
    expect((await backend.channel()).state).toBeNull();
  });
});

describe("ING2: GStreamer's srtsink", () => {
  describe.each([
    { name: "plain", env: {}, keyLengths: [0] },
    { name: "with a passphrase", env: { KLIEG_SRT_PASSPHRASE: PASSPHRASE }, keyLengths: [16, 32] },
  ])("$name", ({ env, keyLengths }) => {
    let backend: BackendProcess;
    beforeAll(async () => {
      backend = await BackendProcess.start({ env });
    });
    afterAll(() => backend[Symbol.asyncDispose]());

    it.concurrent.each(keyLengths)("key length %i", async (keyLength) => {
      const channel = `gst-${keyLength}`;
      const key = await backend.openChannel(channel);
      const sound = keyLength === 16 ? { sampleRate: 44_100, channels: 1 } : { sampleRate: 48_000, channels: 2 };
      await using encoder = gstreamer({
        ...{ fps: 30, ...sound },
        muxer: ["mpegtsmux", "name=mux", "alignment=7"],
        sink: [
          ...["srtsink", `uri=srt://127.0.0.1:${backend.ports.srt}`, `streamid=publish:${key}`],
          ...(keyLength === 0 ? [] : [`passphrase=${PASSPHRASE}`, `pbkeylen=${keyLength}`]),
        ],
      });
      const served = await watch(backend, { channel, encoder });
      expectServed(served, { fps: 30, ...sound, protocol: "srt", encoder: /^libsrt 1[.]/, width: 320, height: 180 });
      expect(served.health.ingest?.srt).toMatchObject({ packetsUndecrypted: 0, packetsReceiveDropped: 0 });
    });
  });
});

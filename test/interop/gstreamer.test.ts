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
    ...[`option-string=scenecut=0:keyint-min=${fps * 2}`, "!", "h264parse", "!", "queue", "!", "mux."],
  ];
  const audio = [
    ...["audiotestsrc", "is-live=true", "!", `audio/x-raw,rate=${sampleRate},channels=${channels}`, "!"],
    ...["audioconvert", "!", "avenc_aac", "bitrate=96000", "!", "aacparse", "!", "queue", "!", "mux."],
  ];
  // It ends a pipeline in order, with the muxer's last bytes and the protocol's goodbye, on SIGINT.
  return new Child("gst-launch-1.0", ["-e", ...muxer, "!", ...sink, ...video, ...audio], { stopSignal: "SIGINT" });
}

/** flvmux waits 2 s for whichever track is late, as guides tell: without, it gives late frames the time of others. */
const FLV = ["flvmux", "name=mux", "streamable=true", "latency=2000000000"];
const RTMP = { muxer: FLV, protocol: "rtmp", encoder: /^LNX / } as const;
const SRT = { muxer: ["mpegtsmux", "name=mux", "alignment=7"], protocol: "srt", encoder: /^libsrt 1[.]/ } as const;
const STEREO = { sampleRate: 48_000, channels: 2 };
const MONO = { sampleRate: 44_100, channels: 1 };

describe("ING1 ING2: GStreamer", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start();
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  it.concurrent.each([
    { channel: "rtmp-30", ...RTMP, fps: 30, ...STEREO },
    { channel: "rtmp-25-bframes", ...RTMP, fps: 25, bFrames: 2, ...MONO },
    { channel: "srt-30-bframes", ...SRT, fps: 30, bFrames: 2, ...STEREO },
  ])("$channel", async ({ channel, ...options }) => {
    const key = await backend.openChannel(channel);
    const rtmp = ["rtmp2sink", `location=${backend.rtmpUrl(key)}`];
    const srt = ["srtsink", `uri=srt://127.0.0.1:${backend.ports.srt}`, `streamid=publish:${key}`];
    await using encoder = gstreamer({ ...options, sink: options.protocol === "rtmp" ? rtmp : srt });
    const served = await watch(backend, { channel, encoder });
    expectServed(served, { ...options, width: 320, height: 180 });
    await encoder.stop();
    expect(await backend.channel(channel)).toMatchObject({ live_stream_id: served.stream.id, state: "interrupted" });
  });

  it.concurrent("shows why a wrong key is refused over RTMP", async () => {
    const sink = ["rtmp2sink", `location=${backend.rtmpUrl("nonsense")}`];
    await using encoder = gstreamer({ ...RTMP, fps: 30, ...STEREO, sink });
    await encoder.line(/ERROR: .*rtmp2sink/i);
    expect((await encoder.exited).code).not.toBe(0);
    expect(encoder.output).toContain("This stream key is not valid");
    expect((await backend.channel()).state).toBeNull();
  });
});

describe("ING2: GStreamer's srtsink with a passphrase", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_SRT_PASSPHRASE: PASSPHRASE } });
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  it.concurrent.each([
    { keyLength: 16, ...MONO },
    { keyLength: 32, ...STEREO },
  ])("key length $keyLength", async ({ keyLength, ...sound }) => {
    const channel = `key-${keyLength}`;
    const key = await backend.openChannel(channel);
    const at = ["srtsink", `uri=srt://127.0.0.1:${backend.ports.srt}`, `streamid=#!::r=${channel},m=publish,u=${key}`];
    const sink = [...at, `passphrase=${PASSPHRASE}`, `pbkeylen=${keyLength}`];
    await using encoder = gstreamer({ ...SRT, fps: 30, ...sound, sink });
    const served = await watch(backend, { channel, encoder });
    expectServed(served, { ...SRT, fps: 30, ...sound, width: 320, height: 180 });
    expect(served.health.ingest?.srt).toMatchObject({ packetsUndecrypted: 0, packetsReceiveDropped: 0 });
  });
});

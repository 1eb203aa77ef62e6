import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { type EncoderOptions, encode } from "../harness/encoder.ts";
import { followPlaylist } from "../harness/hls-follower.ts";
import { loadStream, probe } from "../harness/playback.ts";

/** ING1, ING2: what Debian's ffmpeg can send, each on a channel of its own, watched to the third segment. */
const PLAIN: (Omit<EncoderOptions, "url" | "format"> & { name: string; via: "rtmp" | "srt"; streamId?: string })[] = [
  { name: "rtmp-25-bframes-44k-mono", via: "rtmp", fps: 25, bFrames: 2, sampleRate: 44_100, channels: 1 },
  { name: "rtmp-30-48k-stereo", via: "rtmp", fps: 30, sampleRate: 48_000, channels: 2 },
  { name: "rtmp-50-48k-mono", via: "rtmp", fps: 50, sampleRate: 48_000, channels: 1 },
  { name: "rtmp-60-bframes-44k-stereo", via: "rtmp", fps: 60, bFrames: 3, sampleRate: 44_100, channels: 2 },
  { name: "rtmp-2997", via: "rtmp", fps: "30000/1001", bFrames: 2 },
  { name: "srt-25-44k-stereo", via: "srt", fps: 25, sampleRate: 44_100, channels: 2 },
  {
    name: "srt-30-bframes-48k-mono",
    via: "srt",
    fps: 30,
    bFrames: 2,
    sampleRate: 48_000,
    channels: 1,
    streamId: "publish",
  },
  {
    name: "srt-50-bframes-48k-stereo",
    via: "srt",
    fps: 50,
    bFrames: 3,
    sampleRate: 48_000,
    channels: 2,
    streamId: "access",
  },
  { name: "srt-60-44k-mono", via: "srt", fps: 60, sampleRate: 44_100, channels: 1 },
];

function frameRate(fps: EncoderOptions["fps"]): number {
  return fps === "30000/1001" ? 30_000 / 1001 : Number(fps);
}

describe("ING1 ING2: Debian's ffmpeg", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start();
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  const newKey = async (channel: string) => {
    expect((await backend.admin("POST", "/v1/channels", { name: channel })).status).toBe(201);
    const response = await backend.admin("POST", `/v1/channels/${channel}/keys`, { label: "test" });
    return ((await response.json()) as { stream_key: string }).stream_key;
  };

  it.concurrent.each(PLAIN)("$name", async ({ name, via, streamId, ...options }) => {
    const key = await newKey(name);
    const id =
      streamId === "publish" ? `publish:${key}` : streamId === "access" ? `#!::r=${name},m=publish,u=${key}` : key;
    await using encoder = encode({
      ...options,
      size: "320x180",
      bitrate: "200k",
      url: via === "rtmp" ? backend.rtmpUrl(key) : `srt://127.0.0.1:${backend.ports.srt}`,
      // ffmpeg does not decode %-escapes of the URL's streamid.
      ...(via === "rtmp" ? {} : { extra: ["-srt_streamid", id] }),
      format: via === "rtmp" ? "flv" : "mpegts",
    });
    const stream = await backend.live(name).catch((error) => {
      throw new Error(`${error}\n${encoder.output}`);
    });
    expect(stream.ingest?.protocol).toBe(via);
    const manifest = `${backend.http}${stream.playback.hls}`;
    await followPlaylist(
      new URL("source/index.m3u8", manifest).href,
      (_snapshot, playlist) => playlist.segments.length >= 3,
      AbortSignal.timeout(30_000),
    );
    const { video, audio, multivariant } = await loadStream(manifest);
    expect(multivariant.variants).toHaveLength(1);
    expect(multivariant.variants[0]).toMatchObject({ resolution: "320x180" });
    expect(multivariant.variants[0]?.frameRate).toBeCloseTo(frameRate(options.fps), 1);

    const [picture] = await Promise.all((video[0]?.runs ?? []).map(probe));
    expect(picture).toMatchObject({ codec: "h264", width: 320, height: 180, complaints: "" });
    const segments = video[0]?.playlist.segments ?? [];
    const seconds = segments.reduce((sum, segment) => sum + segment.duration, 0);
    expect(picture?.packets).toHaveLength(Math.round(seconds * frameRate(options.fps)));
    expect(picture?.packets.filter((packet) => packet.keyframe)).toHaveLength(segments.length);
    for (const segment of segments) expect(segment.duration).toBeCloseTo(2, 1);

    const [sound] = await Promise.all((audio[0]?.runs ?? []).map(probe));
    expect(sound).toMatchObject({
      codec: "aac",
      sampleRate: options.sampleRate ?? 48_000,
      channels: options.channels ?? 2,
      complaints: "",
    });
    // Sound and picture of the same number cover the same time, to within a frame of sound.
    expect(Math.abs((sound?.packets[0]?.pts ?? 0) - (picture?.packets[0]?.pts ?? 9))).toBeLessThan(0.05);
    const health = await backend.health(stream.id);
    expect(health.warnings).toEqual([]);
    expect(health.ingest?.frame_rate).toBeCloseTo(frameRate(options.fps), -1);
    expect(health.ingest?.keyframe_interval_ms).toBeGreaterThan(1900);
  });
});

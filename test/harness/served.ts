import type { StreamHealth, StreamInfo } from "@klieg/protocol";
import { expect } from "vitest";
import type { BackendProcess } from "./backend.ts";
import { Child } from "./child.ts";
import { followPlaylist } from "./hls-follower.ts";
import { loadStream, type Probe, probe } from "./playback.ts";

/** What the backend serves of a live contribution, and what it says of it. */
export interface Served {
  readonly stream: StreamInfo;
  readonly health: StreamHealth;
  readonly media: Awaited<ReturnType<typeof loadStream>>;
  readonly picture: Probe | undefined;
  readonly sound: Probe | undefined;
  /** Mean volume of the sound, dBFS; undefined where there is none. */
  readonly volume: number | undefined;
}

export interface WatchOptions {
  readonly channel?: string;
  /** Whole segments to wait for. */
  readonly segments?: number;
  /** Whose output says more where the channel does not go live. */
  readonly encoder?: { readonly output: string };
  readonly timeoutMs?: number;
}

/** Watches a channel's picture and sound until both have so many segments, then loads and probes all of them. */
export async function watch(backend: BackendProcess, options: WatchOptions = {}): Promise<Served> {
  const { channel = "demo", segments = 3, encoder, timeoutMs = 40_000 } = options;
  const { id, playback } = await backend.live(channel, timeoutMs).catch((error: unknown) => {
    throw new Error(`${error}\n${encoder?.output ?? ""}`);
  });
  const manifest = `${backend.http}${playback.hls}`;
  await Promise.all(
    ["source", "audio"].map((rendition) =>
      followPlaylist(
        new URL(`${rendition}/index.m3u8`, manifest).href,
        (_snapshot, playlist) => playlist.segments.length >= segments,
        AbortSignal.timeout(timeoutMs),
      ),
    ),
  );
  const [stream, health, media] = await Promise.all([backend.stream(id), backend.health(id), loadStream(manifest)]);
  const [picture] = await Promise.all((media.video[0]?.runs ?? []).map(probe));
  const [sound] = await Promise.all((media.audio[0]?.runs ?? []).map(probe));
  const [volume] = await Promise.all((media.audio[0]?.runs ?? []).map(meanVolume));
  return { stream, health, media, picture, sound, volume };
}

export interface ExpectedContribution {
  readonly protocol: "rtmp" | "srt";
  /** The encoder's name as the API tells it. */
  readonly encoder: RegExp;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly videoCodec?: "h264" | "hevc" | "av1";
  readonly audioCodec?: "aac" | "opus";
  /** Where it is not what was sent. */
  readonly servedAudioCodec?: "aac";
  readonly sampleRate: number;
  readonly channels: number;
  /** Seconds. */
  readonly gop?: number;
}

const CODEC_STRING = { h264: /^avc1[.]/, hevc: /^hvc1[.]/, av1: /^av01[.]/, aac: /^mp4a[.]40[.]2$/, opus: /^[oO]pus$/ };

/**
 * Holds what is served to what was sent: codecs, size, frame rate, sound, one unbroken run of segments that ffprobe and
 * ffmpeg take without a complaint, and an API that says the same and warns of nothing.
 */
export function expectServed(served: Served, expected: ExpectedContribution): void {
  const { stream, health, media, picture, sound } = served;
  const { videoCodec = "h264", audioCodec = "aac", width, height, fps, sampleRate, channels, gop = 2 } = expected;
  const { servedAudioCodec = audioCodec } = expected;
  expect(stream).toMatchObject({
    state: "live",
    ingest: { protocol: expected.protocol, encoder: expect.stringMatching(expected.encoder) },
    video: { codec: videoCodec, codec_string: expect.stringMatching(CODEC_STRING[videoCodec]), width, height },
    audio: { codec: audioCodec, codec_string: expect.stringMatching(CODEC_STRING[audioCodec]) },
  });
  expect(stream.audio).toMatchObject({ sample_rate: sampleRate, channels });
  expect(health).toMatchObject({ state: "live", warnings: [], ingest: { discontinuities: 0 } });
  expect(health.ingest?.frame_rate).toBeGreaterThan(fps * 0.85);
  expect(health.ingest?.frame_rate).toBeLessThan(fps * 1.15);
  expect(health.readers.every((reader) => reader.dropped_access_units === 0)).toBe(true);

  expect(media.multivariant.variants).toHaveLength(1);
  expect(media.multivariant.audio).toHaveLength(1);
  const [variant] = media.multivariant.variants;
  const codecs = variant?.codecs.split(",") ?? [];
  expect(codecs).toHaveLength(2);
  expect(codecs[0]).toMatch(CODEC_STRING[videoCodec]);
  expect(codecs[1]).toMatch(CODEC_STRING[servedAudioCodec]);
  expect(variant?.resolution).toBe(`${width}x${height}`);
  expect(variant?.frameRate).toBeCloseTo(fps, 0);

  expect(media.video[0]?.runs).toHaveLength(1);
  expect(media.audio[0]?.runs).toHaveLength(1);
  expect(picture).toMatchObject({ codec: videoCodec, width, height, complaints: "" });
  expect(sound).toMatchObject({ codec: servedAudioCodec, sampleRate, channels, complaints: "" });
  const segments = media.video[0]?.playlist.segments ?? [];
  for (const segment of segments) {
    expect(segment).toMatchObject({ discontinuity: false, gap: false });
    expect(segment.duration).toBeCloseTo(gop, 0);
  }
  expect(picture?.packets.filter((packet) => packet.keyframe).length).toBeGreaterThanOrEqual(segments.length);

  const [from, to] = extentOf(picture);
  const rate = ((picture?.packets.length ?? 0) - 1) / (to - from);
  expect(rate).toBeGreaterThan(fps * 0.97);
  expect(rate).toBeLessThan(fps * 1.03);
  // Sound and picture begin and end together, to within the frames that either has.
  const [soundFrom, soundTo] = extentOf(sound);
  expect(Math.abs(soundFrom - from)).toBeLessThan(0.1);
  expect(soundTo - soundFrom).toBeGreaterThan((to - from) * 0.9);
  const soundTimes = sound?.packets.map((packet) => packet.pts) ?? [];
  const gaps = soundTimes.slice(1).map((pts, index) => pts - (soundTimes[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(0.06);
  // Every encoder of these tests sends a tone.
  expect(served.volume).toBeGreaterThan(-40);
}

async function meanVolume(run: { init: Buffer; segments: Buffer[] }): Promise<number> {
  await using ffmpeg = new Child("ffmpeg", ["-nostats", "-i", "-", "-af", "volumedetect", "-f", "null", "-"]);
  ffmpeg.process.stdin.end(Buffer.concat([run.init, ...run.segments]));
  const [, decibels] = await ffmpeg.line(/mean_volume: (\S+) dB/);
  return Number(decibels);
}

/** First and last presentation time, s. */
function extentOf(probed: Probe | undefined): [number, number] {
  const times = probed?.packets.map((packet) => packet.pts) ?? [];
  return [Math.min(...times), Math.max(...times)];
}

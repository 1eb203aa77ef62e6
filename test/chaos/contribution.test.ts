import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { Child } from "../harness/child.ts";
import { encode } from "../harness/encoder.ts";
import { followPlaylist, readPlaylist } from "../harness/hls-follower.ts";
import { loadStream, probe } from "../harness/playback.ts";
import { resourcesOf, settlesTo } from "../harness/process-resources.ts";
import { until } from "../harness/until.ts";

const GRACE_MS = 4000;

describe("ING5 PKG4: encoders on a bad day", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start({
      env: { KLIEG_RECONNECT_GRACE_MS: String(GRACE_MS), KLIEG_ENDED_RETENTION_S: "2" },
    });
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  const newChannel = async (name: string) => {
    await backend.admin("POST", "/v1/channels", { name });
    const response = await backend.admin("POST", `/v1/channels/${name}/keys`, { label: "" });
    return ((await response.json()) as { stream_key: string }).stream_key;
  };
  const sourceOf = (id: string) => `${backend.http}/v1/streams/${id}/source/index.m3u8`;
  const segments = (url: string, count: number) =>
    followPlaylist(url, (_snapshot, playlist) => playlist.segments.length >= count, AbortSignal.timeout(30_000));

  it("killed and back within grace: the same stream, a discontinuity, the next part within 2 s", async () => {
    const before = await resourcesOf(backend.child.pid, backend.ports.http);
    const key = await newChannel("back");
    const first = encode({ url: backend.rtmpUrl(key), format: "flv", size: "320x180", bitrate: "200k" });
    const { id } = await backend.live("back");
    await segments(sourceOf(id), 2);
    await first.stop("SIGKILL");
    await until(async () => (await backend.channel("back")).state === "interrupted", { what: "interrupted" });
    const stopped = readPlaylist(await (await fetch(sourceOf(id))).text());
    expect(stopped.ended).toBe(false);

    await using second = encode({ url: backend.rtmpUrl(key), format: "flv", size: "320x180", bitrate: "200k" });
    const next = await fetch(`${sourceOf(id)}?_HLS_msn=${stopped.mediaSequence + stopped.segments.length}&_HLS_part=0`);
    expect(next.status).toBe(200);
    const resumedAt = Date.now();
    const attached = backend.log.findLast((line) => line.msg === "source attached" && line.stream === id);
    expect(resumedAt - Date.parse(String(attached?.time))).toBeLessThan(2000);
    expect((await backend.channel("back")).live_stream_id).toBe(id);
    const seen = await segments(sourceOf(id), stopped.segments.length + 2);
    const after = readPlaylist(seen.at(-1)?.text ?? "");
    expect(after.segments.map(({ discontinuity }) => discontinuity)).toEqual(
      after.segments.map((_segment, at) => at === stopped.segments.length),
    );
    await second.stop();

    // Gone for good: ended after the grace, with all that it held let go after the retention.
    await until(
      async () => {
        const response = await fetch(`${backend.http}/v1/streams/${id}`);
        return response.status === 404 || ((await response.json()) as { state: string }).state === "ended";
      },
      { what: "ended", timeoutMs: GRACE_MS + 5000 },
    );
    await until(async () => (await fetch(sourceOf(id))).status === 404, { what: "forgotten", timeoutMs: 10_000 });
    await settlesTo(backend.child.pid, backend.ports.http, before);
  });

  it("ended streams have an end in their playlists, and every part of what they promised", async () => {
    const key = await newChannel("ends");
    await using encoder = encode({
      url: backend.rtmpUrl(key),
      format: "flv",
      size: "320x180",
      bitrate: "200k",
      duration: 5,
    });
    const { id } = await backend.live("ends");
    const snapshots = await followPlaylist(sourceOf(id), () => false, AbortSignal.timeout(30_000));
    await encoder.exited;
    const last = readPlaylist(snapshots.at(-1)?.text ?? "");
    expect(last.ended).toBe(true);
    expect(last.preloadHint).toBeUndefined();
    const { video } = await loadStream(`${backend.http}/v1/streams/${id}/manifest.m3u8`);
    const [picture] = await Promise.all((video[0]?.runs ?? []).map(probe));
    expect(picture).toMatchObject({ complaints: "" });
    expect(picture?.packets.length).toBeGreaterThanOrEqual(148);
  });

  it("a second publisher takes over with a discontinuity; the first is told", async () => {
    const key = await newChannel("taken");
    await using first = encode({ url: backend.rtmpUrl(key), format: "flv", size: "320x180", bitrate: "200k" });
    const { id } = await backend.live("taken");
    await segments(sourceOf(id), 1);
    await using second = encode({
      url: `srt://127.0.0.1:${backend.ports.srt}`,
      format: "mpegts",
      size: "480x270",
      bitrate: "300k",
      extra: ["-srt_streamid", key],
    });
    await first.exited;
    expect(first.output).toContain("Another encoder has taken over");
    const seen = await segments(sourceOf(id), 4);
    expect(second.running).toBe(true);
    const playlist = readPlaylist(seen.at(-1)?.text ?? "");
    const maps = [...new Set(playlist.segments.map(({ map }) => map))];
    expect(maps).toHaveLength(2);
    const change = playlist.segments.findIndex(({ map }) => map === maps[1]);
    expect(playlist.segments[change]?.discontinuity).toBe(true);
    const { video } = await loadStream(`${backend.http}/v1/streams/${id}/manifest.m3u8`);
    const probes = await Promise.all((video[0]?.runs ?? []).map(probe));
    expect(probes.map(({ width, complaints }) => ({ width, complaints }))).toEqual([
      { width: 320, complaints: "" },
      { width: 480, complaints: "" },
    ]);
    expect((await backend.stream(id)).ingest?.protocol).toBe("srt");
  });

  it("a change of resolution and a clock that starts over in mid-stream: new init segment, discontinuity, nothing broken", async () => {
    const key = await newChannel("changes");
    const folder = await mkdtemp(join(tmpdir(), "klieg-changes-"));
    try {
      const files = await Promise.all(
        ["320x180", "480x270"].map(async (size) => {
          const file = join(folder, `${size}.ts`);
          await using maker = encode({ url: file, format: "mpegts", size, bitrate: "300k", duration: 6 });
          await maker.exited;
          return file;
        }),
      );
      // One SRT connection, through which one encoder speaks after the other, each from its own zero.
      const send = (file: string) => `ffmpeg -v error -re -f mpegts -i ${file} -c copy -f mpegts -`;
      const door = `srt://127.0.0.1:${backend.ports.srt}?streamid=${key}`;
      const script = `(${files.map(send).join("; ")}; sleep 1) | srt-live-transmit -q -a:no -chunk:1316 file://con '${door}'`;
      await using _encoder = new Child("sh", ["-c", script]);
      const { id } = await backend.live("changes");
      const snapshots = await followPlaylist(sourceOf(id), () => false, AbortSignal.timeout(80_000));
      const playlist = readPlaylist(snapshots.at(-1)?.text ?? "");
      expect(playlist.ended).toBe(true);
      const change = playlist.segments.findIndex(({ map }) => map !== playlist.segments[0]?.map);
      expect(change).toBeGreaterThan(1);
      expect(playlist.segments[change]?.discontinuity).toBe(true);
      const { video } = await loadStream(`${backend.http}/v1/streams/${id}/manifest.m3u8`);
      const probes = await Promise.all((video[0]?.runs ?? []).map(probe));
      expect(probes.map(({ width, complaints }) => ({ width, complaints }))).toEqual([
        { width: 320, complaints: "" },
        { width: 480, complaints: "" },
      ]);
      // All but the frames around the seam.
      expect(probes.reduce((sum, { packets }) => sum + packets.length, 0)).toBeGreaterThan(345);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("no sound: the picture alone is live", async () => {
    const key = await newChannel("mute");
    await using _encoder = encode({ url: backend.rtmpUrl(key), format: "flv", size: "320x180", audio: false });
    const { id, audio } = await backend.live("mute");
    expect(audio).toBeNull();
    const text = await (await fetch(`${backend.http}/v1/streams/${id}/manifest.m3u8`)).text();
    expect(text).not.toContain("TYPE=AUDIO");
    expect(text).toMatch(/CODECS="avc1\.[0-9a-f]{6}"/);
    const { video } = await loadStream(`${backend.http}/v1/streams/${id}/manifest.m3u8`);
    expect(video).toHaveLength(1);
  });

  it("no picture: the sound alone is live", async () => {
    const key = await newChannel("blind");
    await using _encoder = encode({ url: backend.rtmpUrl(key), format: "flv", video: false });
    const { id, video } = await backend.live("blind");
    expect(video).toBeNull();
    const manifest = `${backend.http}/v1/streams/${id}/manifest.m3u8`;
    const text = await (await fetch(manifest)).text();
    expect(text).toMatch(/CODECS="mp4a\.40\.2"/);
    await followPlaylist(
      `${backend.http}/v1/streams/${id}/audio/index.m3u8`,
      (_snapshot, playlist) => playlist.segments.length >= 2,
      AbortSignal.timeout(20_000),
    );
    const loaded = await loadStream(manifest);
    const [sound] = await Promise.all((loaded.video[0]?.runs ?? []).map(probe));
    expect(sound).toMatchObject({ codec: "aac", complaints: "" });
  });

  it("a bit rate and a resolution beyond the profile are refused with the reason; a long keyframe interval is warned of", async () => {
    const key = await newChannel("strict");
    const settings = (await (await backend.admin("GET", "/v1/channels/strict/settings")).json()) as { profile: object };
    const profile = { ...settings.profile, max_width: 640, max_height: 360, max_bitrate: 300_000 };
    expect((await backend.admin("PATCH", "/v1/channels/strict", { profile })).status).toBe(200);
    await using large = encode({ url: backend.rtmpUrl(key), format: "flv", size: "1280x720" });
    await large.exited;
    expect(large.output).toMatch(/1280×720 is more than this channel takes/);
    await using fast = encode({ url: backend.rtmpUrl(key), format: "flv", size: "640x360", bitrate: "3000k" });
    await fast.exited;
    expect(fast.output).toMatch(/Mb\/s is more than this channel takes/);

    const lazyKey = await newChannel("lazy");
    await using _lazy = encode({ url: backend.rtmpUrl(lazyKey), format: "flv", size: "320x180", gop: 6 });
    const { id } = await backend.live("lazy");
    const warning = await until(
      async () => (await backend.health(id)).warnings.find(({ code }) => code === "keyframe_interval_too_long"),
      { what: "a warning", timeoutMs: 20_000 },
    );
    expect(warning.message).toContain("Set the encoder's keyframe interval to 2 s");
    const seen = await segments(sourceOf(id), 3);
    const playlist = readPlaylist(seen.at(-1)?.text ?? "");
    for (const segment of playlist.segments) expect(Math.round(segment.duration)).toBeLessThanOrEqual(4);
  });
});

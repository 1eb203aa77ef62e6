import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { Child } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { followPlaylist, type ReadPlaylist } from "../harness/hls-follower.ts";
import { loadStream, probe } from "../harness/playback.ts";
import { resourcesOf } from "../harness/process-resources.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";
import { WebRtcPage } from "../harness/webrtc-page.ts";
import { WeriftViewer } from "../harness/werift-viewer.ts";
import { type Onsets, WhepPage } from "../harness/whep-page.ts";
import { WhipPage } from "../harness/whip-page.ts";

requirePackages("ffmpeg", "chromium");

const SIZE = { width: 640, height: 360 };
/** What belongs together is seen and heard within this, ms. */
const TOGETHER_MS = 100;
/** Halts of the player that nobody sees, ms. */
const SEEN_MS = 300;

let browser: Browser;
beforeAll(async () => {
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
});

describe("RTC3: Chromium by WHIP, watched in LL-HLS", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_LADDER: "180p:250k" } });
  });
  afterAll(async () => {
    await backend?.[Symbol.asyncDispose]();
  });

  async function publish(channel: string, codec: string): Promise<WhipPage> {
    const key = await backend.openChannel(channel);
    return WhipPage.open(browser, { endpoint: `${backend.http}/v1/whip`, key, codec, bitrate: 700_000, ...SIZE });
  }

  async function publishLayered(channel: string): Promise<AsyncDisposable> {
    const key = await backend.openChannel(channel);
    const page = await WebRtcPage.open(browser);
    const layers = { codec: "video/VP9", scalabilityMode: "L3T3_KEY", maxBitrate: 1_000_000 };
    await page.publish({ url: `${backend.http}/v1/whip`, key, ...layers, media: SIZE });
    return page;
  }

  /** Resolves when a rendition's playlist is as wanted. */
  async function untilSegments(channel: string, rendition: string, wanted: (playlist: ReadPlaylist) => boolean) {
    const { playback } = await backend.live(channel, 30_000);
    const url = new URL(`${rendition}/index.m3u8`, `${backend.http}${playback.hls}`).href;
    await followPlaylist(url, (_, playlist) => wanted(playlist), AbortSignal.timeout(40_000));
  }

  /** What ffprobe and ffmpeg say of all that has been served, which must be no complaint. */
  async function served(channel: string) {
    const { id, playback } = await backend.live(channel);
    const media = await loadStream(`${backend.http}${playback.hls}`);
    const probeAll = async (runs: { init: Buffer; segments: Buffer[] }[]) =>
      Promise.all(runs.map((run) => probe({ ...run, variableRate: true })));
    const video = await Promise.all(media.video.map(({ runs }) => probeAll([...runs])));
    const audio = await Promise.all(media.audio.map(({ runs }) => probeAll([...runs])));
    for (const run of [...video, ...audio].flat()) expect(run.complaints).toBe("");
    return { info: await backend.stream(id), health: await backend.health(id), media, video, audio };
  }

  it("H.264 goes through as it is, in segments of two seconds, through a change of its size under way", async () => {
    await using publisher = await publish("camera", "H264");
    await untilSegments("camera", "source", ({ segments }) => segments.length >= 2);
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/camera` });
    await watched.stage("playing");
    await watched.becomes("past its start", ({ currentTime }) => currentTime > 1);
    const before = await watched.now();
    await publisher.scaleDown(2);
    await watched.becomes("at the smaller size", ({ videoHeight }) => videoHeight === SIZE.height / 2);
    await publisher.scaleDown(1);
    await watched.becomes("at its own size again", ({ videoHeight }) => videoHeight === SIZE.height);
    // The third size in a whole segment.
    await untilSegments("camera", "source", ({ segments }) => segments.filter((one) => one.discontinuity).length === 2);
    const after = await watched.now();
    expect(after.stage).toBe("playing");
    for (const stall of after.stalls.slice(before.stalls.length)) expect(stall.ms ?? Infinity).toBeLessThan(SEEN_MS);
    expect(watched.complaints).toEqual([]);

    const { info, health, media, video, audio } = await served("camera");
    expect(info).toMatchObject({
      ingest: { protocol: "whip" },
      video: { codec: "h264", ...SIZE },
      audio: { codec: "opus" },
    });
    expect(health).toMatchObject({ state: "live", warnings: [], ingest: { srt: null } });
    const { webrtc } = health.ingest ?? {};
    expect(webrtc).toMatchObject({ layers: 1, round_trip_ms: expect.any(Number), jitter_ms: expect.any(Number) });
    expect(webrtc?.layer_0_bitrate).toBeGreaterThan(50_000);
    expect(media.multivariant.variants.map(({ codecs }) => codecs)).toEqual(
      Array(2).fill(expect.stringMatching(/^avc1[.].{6},mp4a[.]40[.]2$/)),
    );
    const [source, rung] = media.video;
    // Three sizes, and no more breaks than that.
    expect(video[0]?.map(({ height }) => height)).toEqual([360, 180, 360]);
    expect(source?.playlist.segments.filter(({ discontinuity }) => discontinuity)).toHaveLength(2);
    // The rendition that FFmpeg makes keeps its size.
    expect(rung?.runs).toHaveLength(1);
    expect(video[1]?.[0]).toMatchObject({ codec: "h264", width: 320, height: 180 });
    expect(audio[0]?.[0]).toMatchObject({ codec: "aac" });
    const whole = source?.playlist.segments.filter(
      ({ discontinuity }, i, all) => !discontinuity && all[i + 1]?.discontinuity === false,
    );
    for (const { duration } of whole ?? []) {
      expect(duration).toBeGreaterThan(1.9);
      // A browser on a busy machine takes its time to make a keyframe.
      expect(duration).toBeLessThan(3);
    }
  });

  it.each([
    { channel: "vp8", codec: "vp8", open: () => publish("vp8", "VP8") },
    // Three spatial layers: what it shows at a keyframe is predicted from the layer below.
    { channel: "svc", codec: "vp9", open: () => publishLayered("svc") },
  ])("$codec comes as H.264 of its own size, cut by itself", async ({ channel, codec, open }) => {
    await using _publisher = await open();
    await untilSegments(channel, "360p", ({ segments }) => segments.length >= 3);
    const { info, media, video, audio } = await served(channel);
    expect(info).toMatchObject({ video: { codec, ...SIZE } });
    expect(info.renditions.map(({ name }) => name).toSorted()).toEqual(["180p", "360p", "audio"]);
    for (const [i, { playlist }] of media.video.entries()) {
      for (const segment of playlist.segments) expect(segment).toMatchObject({ discontinuity: false, gap: false });
      // Every segment can be begun with.
      const keyframes = video[i]?.flat()[0]?.packets.filter(({ keyframe }) => keyframe) ?? [];
      expect(keyframes.length).toBeGreaterThanOrEqual(playlist.segments.length);
    }
    expect(video.flat().map(({ codec: made, height }) => [made, height])).toEqual([
      ["h264", 360],
      ["h264", 180],
    ]);
    expect(audio[0]?.[0]).toMatchObject({ codec: "aac" });
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/${channel}` });
    await watched.becomes("past its start", ({ stage, currentTime }) => stage === "playing" && currentTime > 1);

    // A WebRTC viewer that has nothing but H.264 is given that.
    await using viewer = await WeriftViewer.open(`${backend.http}/v1/whep/${channel}`);
    await until(() => viewer.of("video").length > 30 && viewer.of("audio").length > 30, { what: "H.264 for werift" });
    expect(viewer.of("video")[0]).toMatchObject({ keyframe: true, track: { codec: "h264", ...SIZE } });
    expect((await backend.health(info.id)).realtime).toMatchObject({
      feed: { video: "transcoded", audio: "straight" },
    });
  });
});

/** Process ids of the backend's FFmpegs. */
async function ffmpegsOf(backend: BackendProcess): Promise<number[]> {
  const { children } = await resourcesOf(backend.child.pid, backend.ports.http);
  const names = await Promise.all(children.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")));
  return children.filter((_, i) => names[i]?.trim() === "ffmpeg");
}

/** Each second the picture turns white for 150 ms, and a tone sounds as long. */
function flashAndBeep(
  address: string,
  options: { bFrames: number; protocol: "rtmp" | "srt"; audio?: readonly string[] },
) {
  const { bFrames, protocol, audio = ["-c:a", "aac", "-b:a", "128k"] } = options;
  const flash = "drawbox=c=white:t=fill:enable='lt(mod(t,1),0.15)'";
  const beep = "volume=volume='lt(mod(t,1),0.15)':eval=frame";
  return new Child("ffmpeg", [
    ...["-hide_banner", "-nostdin", "-v", "warning", "-re"],
    ...["-f", "lavfi", "-i", `color=c=black:s=640x360:r=30,noise=alls=6:allf=t,${flash},format=yuv420p`],
    ...["-re", "-f", "lavfi", "-i", `sine=frequency=1000:sample_rate=48000:samples_per_frame=480,${beep}`],
    ...[
      "-c:v",
      "libx264",
      "-preset",
      "veryfast",
      "-b:v",
      "800k",
      "-g",
      "60",
      "-keyint_min",
      "60",
      "-sc_threshold",
      "0",
    ],
    ...(bFrames === 0 ? ["-tune", "zerolatency"] : ["-bf", `${bFrames}`, "-b_strategy", "0"]),
    ...["-profile:v", "high", ...audio, "-ac", "2", "-flush_packets", "1"],
    ...(protocol === "rtmp" ? ["-f", "flv"] : ["-f", "mpegts"]),
    address,
  ]);
}

/** By how much sound is later than the picture that belongs to it, ms: of each flash, to the nearest beep. */
function lags({ flashes, beeps }: Onsets): number[] {
  return flashes.flatMap((flash) => {
    const nearest = beeps.map((beep) => beep - flash).toSorted((a, b) => Math.abs(a) - Math.abs(b))[0];
    return nearest === undefined || Math.abs(nearest) > 400 ? [] : [nearest];
  });
}

describe("RTC3: an RTMP or SRT broadcast, watched by WHEP", () => {
  let backend: BackendProcess;
  beforeAll(async () => {
    backend = await BackendProcess.start();
  });
  afterAll(async () => {
    await backend?.[Symbol.asyncDispose]();
  });

  it.each([
    { name: "RTMP without B-frames", protocol: "rtmp", bFrames: 0, video: "straight" },
    { name: "RTMP with B-frames", protocol: "rtmp", bFrames: 2, video: "transcoded" },
    { name: "SRT without B-frames", protocol: "srt", bFrames: 0, video: "straight" },
  ] as const)("$name: Chromium sees and hears it, both together", async ({ protocol, bFrames, video }) => {
    const channel = `${protocol}-${bFrames}`;
    const key = await backend.openChannel(channel);
    await using encoder = flashAndBeep(protocol === "rtmp" ? backend.rtmpUrl(key) : backend.srtUrl(key), {
      protocol,
      bFrames,
    });
    const { id } = await backend.live(channel).catch((error: unknown) => {
      throw new Error(`${error}\n${encoder.output}`);
    });
    // Those of the test before may still linger.
    const others = await ffmpegsOf(backend);
    await using viewer = await WhepPage.open(browser, `${backend.http}/v1/whep/${channel}`);
    const first = await viewer.becomes("showing a picture", ({ framesDecoded }) => framesDecoded > 0);
    const made = (await ffmpegsOf(backend)).filter((pid) => !others.includes(pid));
    expect(made).toHaveLength(video === "straight" ? 1 : 2);
    const later = await viewer.becomes(
      "going on",
      ({ framesDecoded, audioEnergy }) => framesDecoded > 120 && audioEnergy > 0,
    );
    expect(later).toMatchObject({ codec: "video/H264", width: 640, height: 360, packetsLost: 0 });
    expect(later.keyFramesDecoded).toBeGreaterThan(first.keyFramesDecoded);
    expect((await backend.health(id)).realtime).toMatchObject({
      viewers: 1,
      feed: { video, audio: "transcoded", restarts: 0 },
    });

    const flashes: number[] = [];
    const beeps: number[] = [];
    let found: number[] = [];
    await until(
      async () => {
        const onsets = await viewer.takeOnsets();
        flashes.push(...onsets.flashes);
        beeps.push(...onsets.beeps);
        found = lags({ flashes, beeps }).slice(-4);
        return found.length === 4 && found.every((lag) => Math.abs(lag) < TOGETHER_MS);
      },
      // A browser brings sound and picture together step by step, and takes longer where its processor is busy.
      { what: "sound and picture together", everyMs: 500, timeoutMs: 40_000, diagnose: () => JSON.stringify(found) },
    );
  });

  it("werift, which offers nothing but constrained baseline, is sent High profile too, in order and by one clock", async () => {
    const key = await backend.openChannel("werift");
    await using _encoder = flashAndBeep(backend.rtmpUrl(key), { protocol: "rtmp", bFrames: 0 });
    await backend.live("werift");
    await using viewer = await WeriftViewer.open(`${backend.http}/v1/whep/werift`);
    await until(() => viewer.of("video").length > 90 && viewer.of("audio").length > 150, { what: "three seconds" });
    const [picture, sound] = [viewer.of("video"), viewer.of("audio")];
    expect(picture[0]).toMatchObject({
      keyframe: true,
      track: { codec: "h264", profile: "High", width: 640, height: 360 },
    });
    expect(sound[0]?.track).toMatchObject({ codec: "opus" });
    for (const [units, step] of [
      [picture, 3000],
      [sound, 1800],
    ] as const) {
      const steps = units.slice(1).map(({ dts }, i) => dts - (units[i]?.dts ?? 0));
      // RTMP counts in whole milliseconds.
      for (const ticks of steps) expect(Math.abs(ticks - step)).toBeLessThanOrEqual(90);
    }
  });

  it("FFmpeg killed is back by itself, and the viewer does not notice much", async () => {
    const key = await backend.openChannel("killed");
    await using _encoder = flashAndBeep(backend.rtmpUrl(key), { protocol: "rtmp", bFrames: 2 });
    const { id } = await backend.live("killed");
    const others = await ffmpegsOf(backend);
    await using viewer = await WhepPage.open(browser, `${backend.http}/v1/whep/killed`);
    await viewer.becomes("showing a picture", ({ framesDecoded }) => framesDecoded > 30);
    const before = (await ffmpegsOf(backend)).filter((pid) => !others.includes(pid));
    expect(before).toHaveLength(2);
    const { framesDecoded } = await viewer.state();
    for (const pid of before) process.kill(pid, "SIGKILL");
    await viewer.becomes("going on", (now) => now.framesDecoded > framesDecoded + 60, 5000);
    expect((await backend.health(id)).realtime).toMatchObject({ viewers: 1, feed: { restarts: 2 } });
    await viewer.stop();
    expect((await backend.health(id)).realtime.viewers).toBe(0);
  });
});

import { later, makeFootage } from "@klieg/ffmpeg/testing";
import type { AccessUnit } from "@klieg/media";
import { beforeAll, describe, expect, test } from "vitest";
import { findWorkerProgram } from "../sfu/worker-program.ts";
import { FakeSession } from "../testing/fake-session.ts";
import { RealtimeBench, RealtimeReceiver } from "../testing/realtime-bench.ts";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { TranscodeEngine } from "../transcode/transcode-engine.ts";

const SECOND = 90_000;
let engine: TranscodeEngine;
let plain: readonly AccessUnit[];
let reordered: readonly AccessUnit[];
beforeAll(async () => {
  engine = await TranscodeEngine.start({ logger: new RecordingLogger() });
  plain = await makeFootage({ seconds: 2, gop: 30, audio: "aac" });
  reordered = await makeFootage({ seconds: 2, gop: 60, bFrames: 2, audio: "aac" });
});

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Media in real time, FFmpeg and a media worker: on a busy machine all that takes longer. */
const PATIENCE = { timeout: 40_000 };

describe.skipIf(findWorkerProgram() === undefined)("RTC3: a broadcast for WebRTC viewers", PATIENCE, () => {
  test("H.264 without B-frames goes straight through, its sound as Opus, both by one clock", async () => {
    await using bench = await RealtimeBench.open(engine);
    await expect(bench.view.watch()).rejects.toMatchObject({ code: "stream_not_live" });
    bench.connect();
    bench.send(plain, 2 * SECOND);
    using watch = await bench.view.watch();
    using received = await RealtimeReceiver.of(watch);
    await received.until(() => received.of("video").length > 90 && received.of("audio").length > 100);
    expect(bench.view.feed?.ways).toEqual({ video: "straight", audio: "transcoded" });

    const video = received.of("video").map(({ unit }) => unit);
    expect(video[0]).toMatchObject({ keyframe: true, track: { codec: "h264", width: 320, height: 180 } });
    const sent = new Set(
      plain.flatMap(({ track, data }) => (track.kind === "video" ? [Buffer.from(data).toString("hex")] : [])),
    );
    expect(video.every(({ data }) => sent.has(Buffer.from(data).toString("hex")))).toBe(true);
    const sound = received.of("audio").map(({ unit }) => unit);
    expect(sound[0]?.track).toMatchObject({ codec: "opus", channels: 2 });
    const steps = sound.slice(1).map(({ dts }, i) => dts - (sound[i] as AccessUnit).dts);
    expect(steps.filter((step) => step !== 1800).length).toBeLessThanOrEqual(2);

    expect(received.reports.video).toBeGreaterThan(1);
    expect(received.reports.audio).toBeGreaterThan(1);
    // What belongs together came at about the same time: the sound is later by what FFmpeg and a packet of 20 ms take.
    const lead = (kind: "video" | "audio") => {
      const delays = received
        .of(kind)
        .slice(30)
        .map(({ unit, at }) => at - unit.pts / 90);
      return delays.toSorted((a, b) => a - b)[delays.length >> 1] as number;
    };
    expect(lead("audio") - lead("video")).toBeGreaterThan(-40);
    expect(lead("audio") - lead("video")).toBeLessThan(120);
  });

  test("with B-frames it is made without, and begins at once, in mid-GOP", async () => {
    await using bench = await RealtimeBench.open(engine);
    bench.connect();
    bench.send(reordered, 2 * SECOND);
    await expect.poll(() => bench.stream.contribution?.meter.videoFrames ?? 0).toBeGreaterThan(10);
    const began = performance.now();
    using watch = await bench.view.watch();
    using received = await RealtimeReceiver.of(watch);
    await received.until(() => received.of("video").length > 0);
    const waited = performance.now() - began;
    await received.until(() => received.of("video").length > 75);
    expect(bench.view.feed?.ways.video).toBe("transcoded");
    // The next keyframe of the source would have been later.
    expect(waited).toBeLessThan(1500);
    const video = received.of("video").map(({ unit }) => unit);
    const order = video.map(({ pts }) => pts);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    const keyframes = video.filter(({ keyframe }) => keyframe).map(({ pts }) => pts);
    // One a second, or with the next frame that a busy machine made.
    for (const [i, pts] of keyframes.slice(1).entries())
      expect(pts - (keyframes[i] as number)).toBeLessThanOrEqual(1.5 * SECOND);
    expect(video[0]?.track.codecString).toMatch(/^avc1\.42[c-f]0/);
  });

  test("FFmpeg killed is back by itself; what it made ends with the last viewer, after a while", async () => {
    await using bench = await RealtimeBench.open(engine, { lingerMs: 300 });
    bench.connect();
    bench.send(reordered, 2 * SECOND);
    await expect.poll(() => bench.stream.video !== undefined && bench.stream.audio !== undefined).toBe(true);
    const watch = await bench.view.watch();
    const second = await bench.view.watch();
    expect(second.stage).toBe(watch.stage);
    using received = await RealtimeReceiver.of(watch);
    await received.until(() => received.of("video").length > 10 && received.of("audio").length > 10);
    const pids = bench.view.feed?.pids ?? [];
    expect(pids).toHaveLength(2);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    const count = { video: received.of("video").length, audio: received.of("audio").length };
    await received.until(
      () => received.of("video").length > count.video + 40 && received.of("audio").length > count.audio + 40,
    );
    const again = bench.view.feed?.pids ?? [];
    expect(again.some((pid) => pids.includes(pid))).toBe(false);
    const video = received.of("video").map(({ unit }) => unit.pts);
    expect(Math.max(...video.slice(1).map((pts, i) => pts - (video[i] as number)))).toBeLessThan(1 * SECOND);

    watch.release();
    watch.release();
    second.release();
    await expect.poll(() => bench.view.feed).toBeUndefined();
    await expect.poll(() => again.filter(alive)).toEqual([]);
    expect(bench.sfu.stages).toBe(0);
  });

  test("an encoder that comes back goes on with the same feed, whatever it sends now", async () => {
    await using bench = await RealtimeBench.open(engine);
    const first = bench.connect();
    bench.send(plain, 2 * SECOND);
    await expect.poll(() => bench.stream.video !== undefined && bench.stream.audio !== undefined).toBe(true);
    using watch = await bench.view.watch();
    const changes: string[] = [];
    watch.onChanged((change) => changes.push(change));
    using received = await RealtimeReceiver.of(watch);
    await received.until(() => received.of("video").length > 10 && received.of("audio").length > 10);
    first.close({ by: "peer", message: "gone" });
    bench.connect();
    const before = received.of("video").length;
    bench.send(later(reordered, 7 * SECOND), 2 * SECOND);
    await received.until(() => received.of("video").length > before + 30 && received.of("audio").length > 60);
    expect(bench.view.feed?.ways).toEqual({ video: "transcoded", audio: "transcoded" });
    const times = received.of("video").map(({ unit }) => unit.pts);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(changes).toEqual([]);
    await bench.stream.close();
    expect(changes).toEqual(["ended"]);
    await expect(bench.view.watch()).rejects.toMatchObject({ code: "stream_not_live" });
  });

  test("a media worker that dies takes the feed with it; who comes again finds another", async () => {
    await using bench = await RealtimeBench.open(engine);
    bench.connect();
    bench.send(plain, 2 * SECOND);
    using watch = await bench.view.watch();
    const { promise, resolve } = Promise.withResolvers<string>();
    watch.onChanged(resolve);
    process.kill(bench.sfu.workers[0]?.pid ?? -1, "SIGKILL");
    expect(await promise).toBe("worker");
    using again = await bench.view.watch();
    expect(again.stage).not.toBe(watch.stage);
    using received = await RealtimeReceiver.of(again);
    await received.until(() => received.of("video").length > 10 && received.of("audio").length > 10);
  });

  test("sound that begins later is told of, so that viewers come again and hear it", async () => {
    await using bench = await RealtimeBench.open(engine);
    bench.connect();
    bench.send(
      plain.filter(({ track }) => track.kind === "video"),
      2 * SECOND,
    );
    await expect.poll(() => bench.stream.video !== undefined).toBe(true);
    using watch = await bench.view.watch();
    expect(watch.audio).toBeUndefined();
    const { promise, resolve } = Promise.withResolvers<string>();
    watch.onChanged(resolve);
    bench.send(later(plain, 4 * SECOND), 2 * SECOND);
    expect(await promise).toBe("tracks");
    using again = await bench.view.watch();
    expect(again.audio).toBeDefined();
  });

  test("what a WebRTC source sends goes to viewers as it is; another source in its place has them come again", async () => {
    await using bench = await RealtimeBench.open(engine);
    using stage = bench.sfu.openStage("publication");
    const realtime = { stage, video: "v", audio: "a" };
    bench.connect(Object.assign(new FakeSession("browser"), { realtime }));
    using watch = await bench.view.watch();
    expect(watch).toMatchObject({ stage, video: "v", audio: "a" });
    const changes: string[] = [];
    watch.onChanged((change) => changes.push(change));
    bench.connect(new FakeSession("OBS"));
    expect(changes).toEqual(["source"]);
    expect(bench.view.watchers).toBe(1);
  });
});

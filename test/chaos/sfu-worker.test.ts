import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { broadcastClock } from "../harness/clock-broadcast.ts";
import { type ShownFrame, takeShownFrames } from "../harness/picture-clock.ts";
import { resourcesOf } from "../harness/process-resources.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";
import { WhipPage } from "../harness/whip-page.ts";

/** What issue and budget allow from the worker's death to the picture's return, ms. */
const BACK_MS = 5000;

describe("RTC1 RTC4: a media worker killed with -9", () => {
  let browser: Browser;
  let backend: BackendProcess;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    backend = await BackendProcess.start();
    await backend.admin("PATCH", "/v1/channels/demo", { default_playback: "realtime" });
  });
  afterEach(async () => {
    await backend[Symbol.asyncDispose]();
  });

  const workerPids = async () => {
    const { children } = await resourcesOf(backend.child.pid, backend.ports.http);
    const commands = await Promise.all(children.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    return children.filter((_pid, at) => commands[at]?.includes("mediasoup-worker"));
  };
  const killWorkers = async () => {
    const pids = await workerPids();
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    return { pids, at: Date.now() };
  };
  const watchInRealtime = async () => {
    const watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
    await watched.becomes(
      "real time",
      ({ stage, mode, currentTime }) => stage === "playing" && mode === "realtime" && currentTime > 1,
    );
    await takeShownFrames(watched.page);
    return watched;
  };
  /** Resolves with the first frame on screen that was made after `at`, Unix ms. */
  const firstFrameAfter = (watched: WatchedPage, at: number): Promise<ShownFrame> =>
    until(
      async () => {
        const { frames } = await takeShownFrames(watched.page);
        return frames.find(({ madeAt, shownAt }) => madeAt > at && shownAt > at);
      },
      {
        what: "the picture back",
        timeoutMs: 20_000,
        diagnose: () => `${watched.complaints.join("\n")}\n${backend.child.output.slice(-4000)}`,
      },
    );
  const expectBack = async (watched: WatchedPage, killed: { at: number; pids: number[] }) => {
    const first = await firstFrameAfter(watched, killed.at + 200);
    expect(first.shownAt - killed.at).toBeLessThan(BACK_MS);
    const now = await watched.becomes("playing on", ({ stage }) => stage === "playing", 2000);
    expect(now.mode).toBe("realtime");
    expect(watched.loads).toBe(1);
    expect(await watched.page.locator('.mode-notice[data-shown="true"]').count()).toBe(0);
    const pids = await workerPids();
    expect(pids.some((pid) => killed.pids.includes(pid))).toBe(false);
  };

  it("a publisher by WHIP and its viewer are back within 5 s, without a reload and in the same stream", async () => {
    await using whip = await WhipPage.open(browser, { endpoint: `${backend.http}/v1/whip`, key: backend.key });
    const { id } = await backend.live();
    await using watched = await watchInRealtime();
    const killed = await killWorkers();
    const back = whip.becomes(
      "publishing again",
      ({ sessions, connection, packetsSent }) => sessions > 1 && connection === "connected" && packetsSent > 30,
    );
    await expectBack(watched, killed);
    await back;
    expect((await backend.channel()).live_stream_id).toBe(id);
  });

  it("the viewer of an RTMP broadcast is back within 5 s, and the broadcast itself never stopped", async () => {
    await using _encoder = broadcastClock({ url: backend.rtmpUrl() });
    const { id } = await backend.live();
    await using watched = await watchInRealtime();
    await expectBack(watched, await killWorkers());
    const { readers, ingest } = await backend.health(id);
    expect(ingest?.discontinuities).toBe(0);
    expect(readers.every(({ dropped_access_units: dropped }) => dropped === 0)).toBe(true);
  });
});

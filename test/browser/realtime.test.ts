import { setTimeout as after } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { percentile } from "../../bench/measure/percentile.ts";
import { BackendProcess } from "../harness/backend.ts";
import type { Child } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { broadcastClock } from "../harness/clock-broadcast.ts";
import { encode } from "../harness/encoder.ts";
import { takeShownFrames } from "../harness/picture-clock.ts";
import { RELAYED_ADDRESS, RtcRelay } from "../harness/rtc-relay.ts";
import { brightnessWhile } from "../harness/screen-brightness.ts";
import { type Watched, WatchedPage } from "../harness/watched-page.ts";
import { WhipPage } from "../harness/whip-page.ts";

/** Seconds that are looked at. */
const STEADY_MS = 3000;
/** What real time promises, s. */
const REALTIME_S = 0.5;
/** The player's figure begins at the server: what the publisher's encoder takes is not in it. Seconds. */
const MOST_UNTOLD = 0.25;
/** Mean brightness of the publisher's picture is never below this; a black screen's is 0 to 5. */
const DARK = 25;
/** In the middle of the picture, where no control lies over it. */
const MIDDLE = { x: 300, y: 200, width: 600, height: 240 };

const inRealtime = ({ stage, mode }: Watched) => stage === "playing" && mode === "realtime";
const inLowLatency = ({ stage, mode }: Watched) => stage === "playing" && mode === "hls";

async function expectRealtime(watched: WatchedPage): Promise<void> {
  await watched.becomes("sure of its latency", ({ latency }) => latency > 0);
  await takeShownFrames(watched.page);
  await after(STEADY_MS);
  const { frames, unreadable } = await takeShownFrames(watched.page);
  const seconds = STEADY_MS / 1000;
  expect(frames.length).toBeGreaterThan(seconds * 12);
  expect(unreadable).toBeLessThan(seconds);
  expect(new Set(frames.map(({ madeAt }) => madeAt)).size).toBeGreaterThan(seconds * 10);
  const latencies = frames.map(({ shownAt, madeAt }) => (shownAt - madeAt) / 1000);
  expect(percentile(latencies, 0.5)).toBeLessThan(REALTIME_S);
  const told = frames.map((frame) => frame.told ?? Number.NaN);
  expect(Math.max(...told)).toBeLessThan(REALTIME_S);
  const untold = frames.map((frame, at) => Math.abs((latencies[at] ?? Number.NaN) - (frame.told ?? Number.NaN)));
  expect(percentile(untold, 0.9)).toBeLessThan(MOST_UNTOLD);
}

describe("PLY1 RTC1 RTC3: the player in real time", () => {
  let backend: BackendProcess;
  /** Its media goes through a relay, or nowhere. */
  let far: BackendProcess;
  /** Has no media worker. */
  let without: BackendProcess;
  let browser: Browser;
  let whip: WhipPage;
  const encoders: Child[] = [];
  beforeAll(async () => {
    [backend, far, without, browser] = await Promise.all([
      BackendProcess.start(),
      BackendProcess.start({ env: { KLIEG_ANNOUNCED_ADDRESS: RELAYED_ADDRESS, KLIEG_RTC_WORKERS: "1" } }),
      BackendProcess.start({ env: { KLIEG_MEDIASOUP_WORKER: "/nowhere/mediasoup-worker" } }),
      openChromium(),
    ]);
    const key = await backend.openChannel("by-rtmp");
    encoders.push(broadcastClock({ url: backend.rtmpUrl(key) }));
    for (const each of [far, without]) {
      encoders.push(encode({ url: each.rtmpUrl(), format: "flv", size: "320x180", bitrate: "200k" }));
    }
    // Chromium sends a third layer of pictures from this size on.
    whip = await WhipPage.open(browser, {
      ...{ endpoint: `${backend.http}/v1/whip`, key: backend.key, simulcast: true },
      ...{ width: 960, height: 540, frameRate: 20, bitrate: 2_000_000 },
    });
    await Promise.all([backend.live(), backend.live("by-rtmp"), far.live(), without.live()]);
  });
  afterAll(async () => {
    await whip?.[Symbol.asyncDispose]();
    for (const encoder of encoders) await encoder.stop();
    await browser?.close();
    for (const each of [backend, far, without]) await each?.[Symbol.asyncDispose]();
  });

  const watch = (channel = "demo", of = backend, by = browser) =>
    WatchedPage.open(by, { url: `${of.http}/watch/${channel}` });
  const setDefault = (mode: "hls" | "realtime", channel = "demo", of = backend) =>
    of.admin("PATCH", `/v1/channels/${channel}`, { default_playback: mode });
  const choose = async ({ page }: WatchedPage, name: RegExp) => {
    await page.mouse.move(400, 300 + Math.random() * 10);
    await page.getByRole("button", { name: "Quality" }).click();
    await page.getByRole("menuitemradio", { name }).click();
  };

  it("plays in real time by itself where the channel says so, and tells its latency truly", async () => {
    await setDefault("realtime");
    await using watched = await watch();
    await watched.becomes("real time", inRealtime);
    await expectRealtime(watched);
    const { page } = watched;
    await page.mouse.move(400, 300);
    expect(await page.locator(".live-indicator").getAttribute("aria-label")).toMatch(
      /^Real time, 0[.]\d\d s behind the broadcast$/,
    );
    expect(await page.getByRole("slider", { name: "Position in the broadcast" }).count()).toBe(0);
    await page.keyboard.press("i");
    const statistics = page.getByRole("region", { name: "Statistics" });
    for (const words of ["WebRTC", "Round trip", "UDP", "Jitter buffer", "Frames decoded"]) {
      await statistics.getByText(words, { exact: true }).first().waitFor();
    }
    const { stalls } = await watched.now();
    expect(stalls).toEqual([]);
    expect(watched.complaints).toEqual([]);
    expect(await watched.violations()).toEqual([]);
  });

  it("goes over to low latency and back without a black picture, and remembers the choice", async () => {
    await setDefault("hls");
    await using watched = await watch();
    const { page } = watched;
    await watched.becomes("low latency", inLowLatency);
    const there = await brightnessWhile(
      page,
      MIDDLE,
      (async () => {
        await choose(watched, /^Real time/);
        await watched.becomes("real time", inRealtime);
        await after(500);
      })(),
    );
    expect(there.brightness.length).toBeGreaterThan(5);
    expect(Math.min(...there.brightness)).toBeGreaterThan(DARK);
    await page.reload();
    await watched.becomes("real time, as chosen", inRealtime);
    const back = await brightnessWhile(
      page,
      MIDDLE,
      (async () => {
        await page.keyboard.press("r");
        await watched.becomes("low latency again", inLowLatency);
        await after(500);
      })(),
    );
    expect(back.brightness.length).toBeGreaterThan(5);
    expect(Math.min(...back.brightness)).toBeGreaterThan(DARK);
    expect(watched.complaints).toEqual([]);
  });

  it("pins a simulcast layer, and lets the server choose again", async () => {
    await setDefault("realtime");
    await using watched = await watch();
    await watched.becomes("the best layer", (now) => inRealtime(now) && now.videoHeight === 540, 30_000);
    const { page } = watched;
    await page.mouse.move(400, 300);
    await page.getByRole("button", { name: "Quality" }).click();
    const qualities = page.getByRole("group", { name: "Quality" });
    const offered = await qualities.getByRole("menuitemradio").allTextContents();
    expect(offered.map((text) => /^(Auto|High|Medium|Low)/.exec(text)?.[0])).toEqual(["Auto", "High", "Medium", "Low"]);
    await page.keyboard.press("Escape");
    // A quarter of 540, in even numbers.
    await choose(watched, /^Low(?! latency)/);
    await watched.becomes("the lowest layer pinned", (now) => now.videoHeight === 134 && now.rendition === "134");
    expect(await page.getByRole("button", { name: "Quality" }).textContent()).toMatch(/^Low/);
    await choose(watched, /^Medium/);
    await watched.becomes("the middle layer pinned", (now) => now.videoHeight === 270 && now.rendition === "270");
    await choose(watched, /^Auto/);
    await watched.becomes("the best layer by itself", (now) => now.videoHeight === 540, 30_000);
    expect((await watched.now()).stalls).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  it("plays an RTMP broadcast in real time", async () => {
    await setDefault("realtime", "by-rtmp");
    await using watched = await watch("by-rtmp");
    await watched.becomes("real time", inRealtime);
    await expectRealtime(watched);
    expect(watched.complaints).toEqual([]);
  });

  it("goes by TCP where the network blocks UDP", async () => {
    await setDefault("realtime", "by-rtmp");
    const blocked = await openChromium({ args: ["--webrtc-ip-handling-policy=disable_non_proxied_udp"] });
    try {
      await using watched = await watch("by-rtmp", backend, blocked);
      await watched.becomes("real time", inRealtime);
      await watched.page.keyboard.press("i");
      await watched.page.getByRole("region", { name: "Statistics" }).getByText("TCP", { exact: true }).waitFor();
    } finally {
      await blocked.close();
    }
  });

  it("plays with low latency where nothing comes through, says why once, and tries again when asked", async () => {
    await setDefault("realtime", "demo", far);
    await using watched = await watch("demo", far);
    const { page } = watched;
    const asked = Date.now();
    await watched.becomes("low latency", inLowLatency);
    // It begins while real time is still waited for.
    expect(Date.now() - asked).toBeLessThan(4500);
    await page.getByText("This network blocks real-time video.").waitFor();
    expect(Date.now() - asked).toBeLessThan(9000);
    expect(await watched.now()).toMatchObject({ stage: "playing", mode: "hls", stalls: [] });
    await page.mouse.move(400, 300);
    await page.getByRole("button", { name: "Quality" }).click();
    await page.getByRole("menuitemradio", { name: "Real time blocked here" }).waitFor();
    await page.keyboard.press("Escape");

    await using relay = await RtcRelay.open({ port: far.ports.rtc ?? 0 });
    await page.getByRole("button", { name: "Try again" }).click();
    await watched.becomes("real time", inRealtime);
    expect(await page.locator(".mode-notice").textContent()).toBe("");

    // A path that is dead for three seconds is had again without a word: ICE is restarted (RFC 9725 § 4.3.3).
    const restarts: number[] = [];
    page.on("response", (response) => {
      if (response.request().method() === "PATCH") restarts.push(response.status());
    });
    relay.set({ loss: 1 });
    await watched.becomes("without media", ({ stage }) => stage === "buffering");
    await after(1500);
    relay.set({});
    await watched.becomes("real time again", inRealtime, 5000);
    expect(restarts).toContain(200);
    expect(await page.locator(".mode-notice").textContent()).toBe("");

    relay.set({ loss: 1 });
    await watched.becomes("low latency again", inLowLatency, 12_000);
    await page.getByText("The real-time connection was lost.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByText("The real-time connection was lost.").waitFor({ state: "detached" });
  });

  it("offers no choice where the server has no WebRTC", async () => {
    await setDefault("realtime", "demo", without);
    await using watched = await watch("demo", without);
    const { page } = watched;
    await watched.becomes("low latency", inLowLatency);
    await page.mouse.move(400, 300);
    await page.getByRole("button", { name: "Quality" }).click();
    await page.getByRole("menuitemradio", { name: /^Auto/ }).waitFor();
    expect(await page.getByRole("menuitemradio", { name: /time/i }).count()).toBe(0);
    expect(watched.complaints).toEqual([]);
  });
});

import { setTimeout as after } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { percentile } from "../../bench/measure/percentile.ts";
import { BackendProcess } from "../harness/backend.ts";
import type { Child } from "../harness/child.ts";
import { openChromium } from "../harness/chromium.ts";
import { broadcastClock } from "../harness/clock-broadcast.ts";
import { takeShownFrames } from "../harness/picture-clock.ts";
import { WatchedPage } from "../harness/watched-page.ts";

const STEADY_MS = 60_000;
/** The encoder's and the decoder's own delay, which the player's figure (ingest to screen) does not hold. Seconds. */
const MOST_UNTOLD = 0.4;
/** Shorter halts are not seen, ms. */
const SEEN_MS = 100;
/** A picture that stands still for so long is frozen; a busy machine drops frames for less. */
const FREEZE_MS = 500;

describe("PLY1: the player at the live edge", () => {
  let backend: BackendProcess;
  let encoder: Child;
  let browser: Browser;
  let watched: WatchedPage;
  beforeAll(async () => {
    backend = await BackendProcess.start({ env: { KLIEG_LADDER: "180p:200k", KLIEG_ENCODER: "software" } });
    encoder = broadcastClock({ url: backend.rtmpUrl() });
    browser = await openChromium();
    await backend.live();
    watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
  });
  afterAll(async () => {
    await watched?.[Symbol.asyncDispose]();
    await browser?.close();
    await encoder?.stop();
    await backend?.[Symbol.asyncDispose]();
  });

  const choose = async (name: RegExp) => {
    await watched.page.mouse.move(400, 300 + Math.random() * 10);
    await watched.page.getByRole("button", { name: "Quality" }).click();
    await watched.page.getByRole("menuitemradio", { name }).click();
  };

  it("plays at the live edge for a minute without a stall, and tells its latency truly", async () => {
    await watched.stage("playing");
    await watched.becomes("past its start", (now) => now.currentTime > 3);
    await takeShownFrames(watched.page);
    const before = await watched.now();
    await after(STEADY_MS);
    const { frames, unreadable } = await takeShownFrames(watched.page);
    const now = await watched.now();

    expect(now).toMatchObject({ stage: "playing", following: true, videoHeight: 360, rendition: "360" });
    expect(now.stalls.slice(before.stalls.length)).toEqual([]);
    expect(now.currentTime - before.currentTime).toBeGreaterThan((STEADY_MS / 1000) * 0.98);
    expect(unreadable).toBe(0);
    expect(frames.length).toBeGreaterThan((STEADY_MS / 1000) * 15);
    const latencies = frames.map(({ shownAt, madeAt }) => (shownAt - madeAt) / 1000);
    expect(Math.max(...latencies)).toBeLessThan(3);
    expect(Math.max(...frames.map(({ told }) => told ?? Number.NaN))).toBeLessThan(3);
    const untold = frames.map(({ told }, at) => Math.abs((latencies[at] ?? Number.NaN) - (told ?? Number.NaN)));
    expect(percentile(untold, 0.9)).toBeLessThan(MOST_UNTOLD);
    // The words say what the figure is.
    const words = await watched.page.locator(".live-indicator").getAttribute("aria-label");
    expect(words).toMatch(/^Live, [12][.]\d s behind the broadcast$/);
  });

  it("switches to every quality of the menu and back to automatic without a halt that can be seen", async () => {
    const before = await watched.now();
    await takeShownFrames(watched.page);
    await watched.page.mouse.move(400, 300);
    await watched.page.getByRole("button", { name: "Quality" }).click();
    const qualities = watched.page.getByRole("group", { name: "Quality" });
    const offered = await qualities.getByRole("menuitemradio").allTextContents();
    expect(offered.map((text) => /^(Auto|\d+p)/.exec(text)?.[0])).toEqual(["Auto", "360p", "180p"]);
    await watched.page.keyboard.press("Escape");

    await choose(/^180p/);
    await watched.becomes("180p pinned", (now) => now.videoHeight === 180 && now.rendition === "180");
    expect(await watched.page.getByRole("button", { name: "Quality" }).textContent()).toMatch(/^180p/);
    await choose(/^360p/);
    await watched.becomes("360p pinned", (now) => now.videoHeight === 360 && now.rendition === "360");
    await choose(/^180p/);
    await watched.becomes("180p pinned again", (now) => now.videoHeight === 180);
    await choose(/^Auto/);
    await watched.becomes("360p by itself", (now) => now.videoHeight === 360 && now.rendition === "360", 30_000);
    const now = await watched.now();
    // The decoder takes a frame's time to change the picture's size.
    expect(now.stalls.slice(before.stalls.length).filter(({ ms }) => ms === null || ms > SEEN_MS)).toEqual([]);
    const { frames } = await takeShownFrames(watched.page);
    const pauses = frames.slice(1).map(({ shownAt }, at) => shownAt - (frames[at]?.shownAt ?? Number.NaN));
    expect(Math.max(...pauses)).toBeLessThan(FREEZE_MS);
    expect(now).toMatchObject({ stage: "playing", following: true });
  });

  it("goes down when the network gets slow, and up again", async () => {
    await watched.throttle(700_000);
    await watched.becomes("180p on a slow network", (now) => now.videoHeight === 180, 30_000);
    await watched.becomes("playing on a slow network", (now) => now.stage === "playing", 10_000);
    await watched.throttle(undefined);
    await watched.becomes("360p again", (now) => now.videoHeight === 360 && now.stage === "playing", 60_000);
    await watched.becomes("the live edge again", (now) => now.following && now.latency < 3, 30_000);
  });

  it("was one page all the time, that complained of nothing and kept to its policy", async () => {
    expect(watched.loads).toBe(1);
    expect(watched.complaints).toEqual([]);
    expect(await watched.violations()).toEqual([]);
  });
});

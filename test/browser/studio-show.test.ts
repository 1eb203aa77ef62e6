import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { fault, makeFaulty } from "../harness/faulty-worker.ts";
import { takeShownFrames } from "../harness/picture-clock.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { endStream, goLive, StudioBox, TONE } from "../harness/studio-box.ts";
import { MEDIA_ARGS } from "../harness/studio-media-tab.ts";
import { CAMERA_COLOUR, LARGE, SMALL, shows, twoScenes } from "../harness/two-scene-show.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";
import { WhepPage } from "../harness/whep-page.ts";

requirePackages("chromium");

const WATCHED_MS = 6000;

/** 95th percentile of how old the pictures are that are shown, s. */
async function ageShown(page: Page): Promise<{ readonly p95: number; readonly frames: number }> {
  await takeShownFrames(page);
  const until95: number[] = [];
  const end = Date.now() + WATCHED_MS;
  await until(
    async () => {
      for (const { shownAt, madeAt } of (await takeShownFrames(page)).frames) until95.push((shownAt - madeAt) / 1000);
      return Date.now() >= end;
    },
    { what: "the time to look at", timeoutMs: WATCHED_MS * 2, everyMs: 500 },
  );
  until95.sort((a, b) => a - b);
  return { p95: until95[Math.floor(until95.length * 0.95)] ?? Number.NaN, frames: until95.length };
}

describe("STU1 STU2 STU3: a show, from camera to viewer", () => {
  let backend: BackendProcess;
  let browser: Browser;
  beforeAll(async () => {
    [backend, browser] = await Promise.all([
      BackendProcess.start({ env: { KLIEG_LADDER: "off" } }),
      openChromium({ args: MEDIA_ARGS }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await backend?.[Symbol.asyncDispose]();
  });

  it("two scenes with four sources by SRT: the layout, the transition, the tone, and a clock at most 2 s old", async () => {
    await using box = await StudioBox.start({ show: twoScenes(backend.http, "srt"), keys: { klieg: backend.key } });
    const page = await box.open(browser, CAMERA_COLOUR, (context) => makeFaulty(context, { hardware: true }));
    // The meter shows the known tone.
    const level = async () => (await page.locator('[data-peak="mic"]').textContent()) ?? "";
    await until(async () => Math.abs(Number((await level()).replace("−", "-")) - TONE.peakDb) <= 0.5, {
      what: "the tone's level on the meter",
    });
    await goLive(page, "A show of two scenes");
    await backend.live();
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
    await watched.becomes("playing", ({ stage }) => stage === "playing", 30_000);
    await watched.page.getByText("A show of two scenes").first().waitFor();
    await shows(watched.page, "the first scene", LARGE);
    const { p95, frames } = await ageShown(watched.page);
    expect(frames).toBeGreaterThan((WATCHED_MS / 1000) * 15);
    expect(p95).toBeLessThan(2);

    await page.keyboard.press("F2");
    await shows(watched.page, "the second scene", SMALL);

    await fault(page, "failEncoder");
    await page.getByText("GPU stopped encoding: the driver died").first().waitFor();
    await page.getByText("The CPU encodes now").first().waitFor();
    await page.keyboard.press("F1");
    await shows(watched.page, "the first scene, encoded by the CPU", LARGE);
    await endStream(page);
    await watched.becomes("the end", ({ stage }) => stage !== "playing", 20_000);
    await page.context().close();
  });

  it("by a browser that cannot encode H.264: the engine's FFmpeg does, and it is said", async () => {
    await using box = await StudioBox.start({ show: twoScenes(backend.http, "srt"), keys: { klieg: backend.key } });
    const page = await box.open(browser, CAMERA_COLOUR, (context) => makeFaulty(context, { h264: false }));
    await page.locator('[data-peak="mic"]').waitFor();
    // What finds people runs under the page's own policy (SEC5).
    await page
      .getByRole("list", { name: "Sources of this scene, front to back" })
      .getByRole("button", { name: "Camera", exact: true })
      .click();
    await page.getByRole("button", { name: "Add filter" }).click();
    await page.getByRole("menuitem", { name: "Blur background" }).click();
    await page.getByText("People are found on this computer").waitFor();
    await page.getByRole("button", { name: "Remove Blur background" }).click();

    await goLive(page, "A show encoded elsewhere");
    await backend.live();
    await page.getByRole("button", { name: "All figures" }).click();
    await page.getByRole("dialog").getByText("engine's FFmpeg").waitFor();
    await page.keyboard.press("Escape");
    await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
    await watched.becomes("playing", ({ stage }) => stage === "playing", 30_000);
    await shows(watched.page, "the first scene", LARGE);
    await page.keyboard.press("F2");
    await shows(watched.page, "the second scene", SMALL);
    await endStream(page);
    await page.context().close();
  });

  it("by WebRTC: the same, and a clock at most 250 ms old", async () => {
    await using box = await StudioBox.start({ show: twoScenes(backend.http, "whip"), keys: { klieg: backend.key } });
    const page = await box.open(browser, CAMERA_COLOUR);
    await page.locator('[data-peak="mic"]').waitFor();
    await goLive(page, "A show nearly at once");
    await backend.live();
    await using whep = await WhepPage.open(browser, `${backend.http}/v1/whep/demo`);
    await whep.becomes("a picture", ({ framesDecoded }) => framesDecoded > 30);
    await shows(whep.page, "the first scene", LARGE);
    const { p95, frames } = await ageShown(whep.page);
    expect(frames).toBeGreaterThan((WATCHED_MS / 1000) * 15);
    expect(p95).toBeLessThan(0.25);
    await page.keyboard.press("F2");
    await shows(whep.page, "the second scene", SMALL);
    await endStream(page);
    await page.context().close();
  });
});

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { FAKE_DEVICES, StudioWebProcess } from "../harness/studio-web.ts";

/** Runs in the page: what is in the middle of the player's picture. */
function middleOf(video: HTMLVideoElement): [red: number, green: number, blue: number] {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d");
  context?.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context?.getImageData(0, 0, 1, 1).data ?? [];
  return [red, green, blue];
}

describe("STU7: the first run, from nothing to on air, with a real backend", () => {
  let backend: BackendProcess;
  let studio: StudioWebProcess;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    [backend, studio, browser] = await Promise.all([
      BackendProcess.start(),
      StudioWebProcess.start(),
      openChromium({ args: [...FAKE_DEVICES] }),
    ]);
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
  });
  afterAll(async () => {
    await browser.close();
    await studio[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  const button = (name: string) => page.getByRole("button", { name, exact: true });

  it("connects to a server, and says in words where its key is wrong (STU9)", async () => {
    await page.goto(studio.link);
    await page.getByLabel("Server's address").fill(backend.http.replace("http://", ""));
    await page.getByLabel("Stream key").fill("not-a-key");
    await button("Connect").click();
    await page.getByText("This stream key is not valid.").waitFor();
    await page.getByLabel("Stream key").fill(backend.key);
    await button("Connect").click();
    await page.getByText("Your key opens the channel “demo”.").waitFor();
    await button("Next").click();
  });

  it("shows camera and microphone live before they are in the show (STU1)", async () => {
    await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
    await page.waitForFunction(() => (document.querySelector("meter")?.value ?? -60) > -60);
    await button("Use these").click();
  });

  it("measures the upload to the server, which nobody sees, and leaves the encoders to who has time (STU2)", async () => {
    await button("Test this computer").click();
    await page.getByText(/in a private preview…$/).waitFor();
    await page.getByText(/^The upload to .+ carries (at least )?[\d.]+ Mb\/s/).waitFor();
    expect(await backend.channel()).toMatchObject({ live_stream_id: null, state: null });
    await button("Next").click();
  });

  it("goes into a preview that nobody else sees, then on air by SRT, and is seen in the player (STU3)", async () => {
    await page.getByLabel("What is your show called?").fill("First light");
    await button("Start a preview").click();
    await button("Put on air").waitFor();
    expect(await backend.channel()).toMatchObject({ live_stream_id: null });
    await button("Put on air").click();
    await page.getByRole("timer", { name: /^On air/ }).waitFor();
    const stream = await backend.live();
    expect(stream).toMatchObject({
      title: "First light",
      ingest: { protocol: "srt" },
      video: { codec: "h264", width: 1280, height: 720 },
      audio: { codec: "aac" },
    });

    await using viewer = await context.newPage();
    await viewer.goto(`${backend.http}/watch/demo`);
    const video = viewer.locator("video").first();
    // Chromium's own camera is green.
    await viewer.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0);
    await expect
      .poll(() => video.evaluate(middleOf), { timeout: 20_000 })
      .toSatisfy(([red, green, blue]) => {
        return green > 80 && green > 1.5 * red && green > 1.5 * blue;
      });
  });

  it("tells how the show does, in figures that the server confirms (STU4)", async () => {
    await button("All figures").click();
    await page.getByRole("row", { name: /Keyframes every 2\.\d s/ }).waitFor();
    await page.getByRole("row", { name: /Received [\d.]+ [Mk]b\/s/ }).waitFor();
    await page.getByRole("row", { name: /Encoder (CPU|.* GPU)/ }).waitFor();
    await page.keyboard.press("Escape");
  });

  it("asks before it ends, and never shows the key (SEC5)", async () => {
    expect(await page.content()).not.toContain(backend.key);
    await button("End stream").click();
    // Enter is for going on.
    await page.keyboard.press("Enter");
    await page.getByRole("timer", { name: /^On air/ }).waitFor();
    await button("End stream").click();
    await page.getByRole("dialog").getByRole("button", { name: "End stream" }).click();
    await button("Go live").waitFor();
    expect(await backend.channel()).toMatchObject({ live_stream_id: null });
    expect(complaints).toEqual([]);
  });

  it("is a first run only once", async () => {
    await page.reload();
    await button("Go live").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.getByText("Camera", { exact: true }).first().waitFor();
  });
});

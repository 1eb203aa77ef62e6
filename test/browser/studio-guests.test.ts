import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newDocument, type StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { hueAt, isHue, loudness } from "../harness/recorded-program.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { RoomTab } from "../harness/room-tab.ts";
import { StudioBox, TONE } from "../harness/studio-box.ts";
import { MEDIA_ARGS } from "../harness/studio-media-tab.ts";
import { until } from "../harness/until.ts";

requirePackages("chromium", "ffmpeg");

const ADA = { hue: 200, tone: 650 } as const;
/** On the button once enough of the program is recorded. */
const RECORDED = /00:00:(0[2-9]|[1-5]\d)/;

function showOf(url: string): StudioDocument {
  return {
    ...newDocument("Scene"),
    canvas: { width: 640, height: 360, frame_rate: 30, background: "#000000" },
    destinations: [{ id: "home", name: "Home", enabled: true, kind: "klieg", url, channel: "demo", protocol: "srt" }],
  };
}

/** Opens the panel and the room. @returns the link for guests. */
async function openRoom(page: Page): Promise<string> {
  await page.getByRole("tab", { name: "Guests" }).click();
  await page.getByRole("button", { name: "Open the room" }).click();
  await page.getByText("Nobody is here yet").waitFor();
  return page.getByRole("textbox", { name: "Invite link" }).inputValue();
}

async function closeRoom(page: Page): Promise<void> {
  await page.getByRole("button", { name: "More about the room" }).click();
  await page.getByRole("menuitem", { name: "Close the room…" }).click();
  await page.getByRole("dialog", { name: "Close the room?" }).getByRole("button", { name: "Close the room" }).click();
  await page.getByRole("button", { name: "Open the room" }).waitFor();
}

/** What a source's strip of the mixer says that it peaks at, dBFS; NaN where it says nothing. */
async function peakOf(page: Page, source: string): Promise<number> {
  const text = await page.locator(".strip", { hasText: source }).locator("[data-peak]").textContent();
  return Number(text?.replace("−", "-") || Number.NaN);
}

describe("STU7: guests of the show", () => {
  let backend: BackendProcess;
  let browser: Browser;
  beforeAll(async () => {
    [backend, browser] = await Promise.all([
      BackendProcess.start({ env: { KLIEG_LADDER: "off" } }),
      openChromium({ args: [...MEDIA_ARGS] }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await backend?.[Symbol.asyncDispose]();
  });

  it("comes by the link, is seen and heard in the program, hears talkback, is muted, and is removed", async () => {
    await using box = await StudioBox.start({ show: showOf(backend.http), keys: { home: backend.key } });
    const page = await box.open(browser, "#3a6ea5");
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    // What the page is told: never what opens the room for a host, nor the stream key.
    const told: string[] = [];
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => told.push(String(payload))));
    await page.reload();
    const link = await openRoom(page);
    expect(link).toContain(`/room/`);

    await using ada = await RoomTab.open(browser, { link, media: ADA });
    await ada.join("Ada");
    const list = page.getByRole("list", { name: "Guests in the room" });
    const row = list.getByRole("listitem").filter({ hasText: "Ada" });
    await row.getByText("Backstage").waitFor();
    await row.getByRole("button", { name: "Put Ada on stage" }).click();
    await row.getByText("On stage").waitFor();

    const level = row.locator("[data-guest]");
    const shown = () => level.evaluate((meter) => Number(getComputedStyle(meter).getPropertyValue("--level")));
    await until(async () => (await shown()) > 0.5, { what: "her level in the panel" });

    // Her tone on the mixer's meter.
    const peak = () => peakOf(page, "Guest 1");
    await until(async () => (await peak()) > -20, { what: "her tone on the meter", diagnose: () => ada.story() });

    // Both in what is recorded of the program.
    await page.getByRole("button", { name: "Record", exact: true }).click();
    const stop = page.getByRole("button", { name: /^Recording for/ });
    await stop.filter({ hasText: RECORDED }).click();
    await page.getByRole("button", { name: "Record", exact: true }).waitFor();
    const [name = ""] = (await readdir(box.recordings)).filter((file) => file.endsWith(".mp4"));
    const file = path.join(box.recordings, name);
    expect(isHue(await hueAt(file, 1.5), ADA.hue)).toBe(true);
    expect(loudness(file, 1.5, ADA.tone)).toBeGreaterThan(0.05);
    expect(loudness(file, 1.5, TONE.hertz)).toBeLessThan(0.005);

    // The show has no sound but her own: she hears nothing, until the host talks to her.
    const hears = (what: string, wanted: (tones: number[]) => boolean) =>
      until(async () => wanted(await ada.hears()), { what, diagnose: () => ada.story() });
    await hears("silence", (tones) => tones.length === 0);
    const hold = page.getByRole("button", { name: /^(Hold to talk|Guests hear you)$/ });
    await hold.focus();
    await page.keyboard.down("Space");
    await page.getByRole("button", { name: "Guests hear you" }).waitFor();
    await hears("talkback", ([tone = 0]) => Math.abs(tone - TONE.hertz) < 12);
    await page.keyboard.up("Space");
    await hears("silence again", (tones) => tones.length === 0);

    // The page is loaded again in mid-show: the studio has its place again, and she her seat.
    await page.reload();
    await page.getByRole("tab", { name: "Guests" }).click();
    await row.getByText("On stage").waitFor();
    await until(async () => (await peak()) > -20, { what: "her tone after the reload", diagnose: () => ada.story() });

    await row.getByRole("button", { name: "Mute Ada" }).click();
    await ada.page.getByText("Studio turned off your microphone").waitFor();
    await until(async () => !((await peak()) > -40), { what: "silence on the meter" });

    await row.getByRole("button", { name: "More about Ada" }).click();
    await page.getByRole("menuitem", { name: "Remove from the room…" }).click();
    await page.getByRole("dialog", { name: "Remove Ada?" }).getByRole("button", { name: "Remove" }).click();
    await ada.page.getByText("A host removed you from the room").waitFor();
    await page.getByText("Nobody is here yet").waitFor();
    // The link that she came by went with her.
    const renewed = page.getByRole("textbox", { name: "Invite link" });
    await until(async () => (await renewed.inputValue()) !== link, { what: "another link" });
    expect(complaints).toEqual([]);

    await closeRoom(page);
    expect(told.length).toBeGreaterThan(20);
    const secrets = told.filter((text) => text.includes(backend.key) || /resume_token\\?":\\?"(?!studio)/.test(text));
    expect(secrets).toEqual([]);
    await page.context().close();
  });

  it("comes to a studio in a browser alone, which has no engine but itself", async () => {
    await using context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${backend.http}/studio/`);
    await page.getByLabel("Stream key").fill(backend.key);
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByText("Your key opens the channel “demo”.").waitFor();
    await page.getByRole("button", { name: "Skip, and look around" }).click();
    const link = await openRoom(page);
    await using ben = await RoomTab.open(browser, { link, media: { hue: 20, tone: 400 } });
    await ben.join("Ben");
    await page.getByRole("button", { name: "Put Ben on stage" }).click();
    await until(async () => (await peakOf(page, "Guest 1")) > -20, {
      what: "his tone on the meter",
      diagnose: () => ben.story(),
    });
    await closeRoom(page);
    await ben.page.getByText("The room has ended").waitFor();
  });
});

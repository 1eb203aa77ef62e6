import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Source } from "../../apps/studio/src/document/source.ts";
import { DEFAULT_AUDIO } from "../../apps/studio/src/document/source.ts";
import { newDocument, type StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { takeShownFrames } from "../harness/picture-clock.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { StudioBox, TONE } from "../harness/studio-box.ts";
import { MEDIA_ARGS } from "../harness/studio-media-tab.ts";
import { difference, itemOf, type Rgb } from "../harness/studio-show.ts";
import { until } from "../harness/until.ts";
import { WatchedPage } from "../harness/watched-page.ts";
import { WhepPage } from "../harness/whep-page.ts";

requirePackages("chromium");

const CANVAS = { width: 640, height: 360 } as const;
const WATCHED_MS = 6000;
const CAMERA: Rgb = [0x3a, 0x6e, 0xa5];
const BACKDROP: Rgb = [0x20, 0x60, 0x30];
const BADGE: Rgb = [0xc0, 0x40, 0x20];
/** Two encoders and a decoder have been at the colours. */
const COLOUR_DIFFERENCE = 24;

const hex = (colour: Rgb) => `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
const device = (id: string, label: string) => ({ device: { id, label } });

/** Two scenes with four sources: the camera large with a badge and words; and small on a backdrop. */
function show(url: string): StudioDocument {
  const sources: Source[] = [
    {
      id: "camera",
      name: "Camera",
      kind: "camera",
      ...device("clock", "Clock camera"),
      width: null,
      height: null,
      frame_rate: null,
      filters: [],
    },
    {
      id: "mic",
      name: "Mic",
      kind: "microphone",
      ...device("tone", "Tone microphone"),
      echo_cancellation: false,
      audio: { ...DEFAULT_AUDIO },
    },
    { id: "badge", name: "Badge", kind: "colour", colour: hex(BADGE), filters: [] },
    { id: "backdrop", name: "Backdrop", kind: "colour", colour: hex(BACKDROP), filters: [] },
  ];
  const full = { x: CANVAS.width / 2, y: CANVAS.height / 2, ...CANVAS };
  const scene = (id: string, name: string, items: ReturnType<typeof itemOf>[]) => ({
    id,
    name,
    items,
    transition: null,
  });
  const mic = (id: string) => ({ ...itemOf("mic", full), id });
  return {
    ...newDocument("Scene"),
    canvas: { ...CANVAS, frame_rate: 30, background: "#000000" },
    encoding: {
      encoder: "auto",
      video_bitrate: 2_000_000,
      audio_bitrate: 128_000,
      keyframe_interval: 2,
      adaptive: true,
    },
    transition: { kind: "fade", duration: 300 },
    sources,
    scenes: [
      scene("large", "Camera large", [
        { ...itemOf("camera", full), id: "large-camera" },
        { ...itemOf("badge", { x: 560, y: 300, width: 100, height: 60, fit: "stretch" }), id: "large-badge" },
        mic("large-mic"),
      ]),
      scene("small", "Camera small", [
        { ...itemOf("backdrop", { ...full, fit: "stretch" }), id: "small-backdrop" },
        { ...itemOf("camera", { x: 480, y: 260, width: 240, height: 135 }), id: "small-camera" },
        mic("small-mic"),
      ]),
    ],
    destinations: [{ id: "srt", name: "By SRT", enabled: true, kind: "klieg", url, channel: "demo", protocol: "srt" }],
    program: "large",
    preview: "large",
  };
}

/** The colour of the picture that a page shows at a point of the canvas. */
function colourAt(page: Page, x: number, y: number): Promise<number[]> {
  return page.evaluate(
    ({ x, y, width, height }) => {
      const video = document.querySelector("video") as HTMLVideoElement;
      const canvas = new OffscreenCanvas(1, 1);
      const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
      const [wide, high] = [video.videoWidth, video.videoHeight];
      context.drawImage(video, (x / width) * wide, (y / height) * high, 1, 1, 0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    },
    { x, y, ...CANVAS },
  );
}

async function shows(page: Page, what: string, points: readonly (readonly [number, number, Rgb])[]): Promise<void> {
  let seen: number[][] = [];
  await until(
    async () => {
      seen = await Promise.all(points.map(([x, y]) => colourAt(page, x, y)));
      return seen.every((colour, i) => difference(colour, points[i]?.[2] ?? []) < COLOUR_DIFFERENCE);
    },
    { what, timeoutMs: 15_000, diagnose: () => JSON.stringify(seen) },
  );
}

const LARGE = [
  [100, 200, CAMERA],
  [320, 120, CAMERA],
  [560, 300, BADGE],
] as const;
const SMALL = [
  [100, 200, BACKDROP],
  [560, 120, BACKDROP],
  [480, 280, CAMERA],
] as const;

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

async function goLive(page: Page, title: string): Promise<void> {
  await page.getByRole("button", { name: "Go live" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Go live" });
  await dialog.getByLabel("Title").fill(title);
  await dialog.getByText("At once").click();
  await dialog.getByRole("button", { name: "Go live" }).click();
  await page.getByText("On air", { exact: true }).waitFor();
}

async function endStream(page: Page): Promise<void> {
  await page.getByRole("button", { name: "End stream" }).first().click();
  await page.getByRole("dialog", { name: "End the stream?" }).getByRole("button", { name: "End stream" }).click();
  await page.getByText("Off air").first().waitFor();
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
    await using box = await StudioBox.start({ show: show(backend.http), keys: { srt: backend.key } });
    const page = await box.open(browser, hex(CAMERA));
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
    await endStream(page);
    await watched.becomes("the end", ({ stage }) => stage !== "playing", 20_000);
    await page.context().close();
  });

  it("by WebRTC: the same, and a clock at most 250 ms old", async () => {
    const document = show(backend.http);
    const destinations = document.destinations.map((one) => ({ ...one, protocol: "whip" as const }));
    await using box = await StudioBox.start({
      show: { ...document, destinations: destinations as StudioDocument["destinations"] },
      keys: { srt: backend.key },
    });
    const page = await box.open(browser, hex(CAMERA));
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

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "@klieg/base";
import type { Browser, Page } from "playwright-core";
import { writeDocument } from "../apps/studio/src/document/document-file.ts";
import { DEFAULT_AUDIO, type Source } from "../apps/studio/src/document/source.ts";
import { newDocument, type StudioDocument } from "../apps/studio/src/document/studio-document.ts";
import { filling, type Transform } from "../apps/studio/src/document/transform.ts";
import { FileSecretStore } from "../apps/studio/src/engine/secrets/file-secret-store.ts";
import { BackendProcess } from "../test/harness/backend.ts";
import { openChromium } from "../test/harness/chromium.ts";
import { NarrowLink } from "../test/harness/narrow-link.ts";
import { RoomTab } from "../test/harness/room-tab.ts";
import { StudioWebProcess } from "../test/harness/studio-web.ts";

// node scripts/studio-screenshots.ts [FOLDER [PART…]]: takes the documents' pictures of the studio, with a real engine and backend,
// and a camera and microphone that are made in the page. Parts: good, guests, bad.

const ROOT = path.resolve(import.meta.dirname, "..");
const IMAGES = path.resolve(process.argv[2] ?? path.join(ROOT, "docs/images"));
const VIEWPORT = { width: 1440, height: 900 };
const TITLE = "Thursday build: a lamp that follows you home";
/** Small, so that a machine without a graphics card keeps up and the pictures are not all of trouble. */
const CANVAS = { width: 640, height: 360, frame_rate: 24, background: "#0b0a09" } as const;

/** Runs in the page: a workbench under a lamp that swings, and somebody who hums. */
function makeDevices(): void {
  const list = [
    { kind: "videoinput", deviceId: "lamp", label: "Desk camera", groupId: "" },
    { kind: "audioinput", deviceId: "hum", label: "Desk mic", groupId: "" },
  ] as const;
  const camera = () => {
    const [width, height] = [640, 360];
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) throw new Error("no canvas");
    const draw = () => {
      const swing = Math.sin(Date.now() / 1400);
      context.fillStyle = "#17120e";
      context.fillRect(0, 0, width, height);
      for (let brick = 0; brick < 96; brick += 1) {
        const row = Math.floor(brick / 12);
        context.fillStyle = `hsl(24 18% ${11 + ((brick * 37) % 5)}%)`;
        context.fillRect((brick % 12) * 56 - (row % 2) * 28, row * 32, 53, 29);
      }
      const x = width * 0.5 + swing * 90;
      const light = context.createRadialGradient(x, 120, 8, x, 190, 330);
      light.addColorStop(0, "rgb(255 214 140 / 95%)");
      light.addColorStop(0.25, "rgb(255 180 84 / 45%)");
      light.addColorStop(1, "rgb(255 160 60 / 0%)");
      context.fillStyle = light;
      context.fillRect(0, 0, width, height);
      context.fillStyle = "#3a2618";
      context.fillRect(0, 262, width, 98);
      context.fillStyle = "#4b3220";
      context.fillRect(0, 262, width, 6);
      context.strokeStyle = "#0d0a08";
      context.lineWidth = 5;
      context.beginPath();
      context.moveTo(width / 2, 0);
      context.lineTo(x, 96);
      context.stroke();
      context.fillStyle = "#20160f";
      context.beginPath();
      context.moveTo(x - 18, 84);
      context.lineTo(x + 18, 84);
      context.lineTo(x + 52, 128);
      context.lineTo(x - 52, 128);
      context.fill();
      context.fillStyle = "#ffe9bf";
      context.beginPath();
      context.ellipse(x, 129, 40, 9, 0, 0, 2 * Math.PI);
      context.fill();
      // Grain, as of a real camera: it gives the encoder something to do.
      context.fillStyle = "rgb(255 240 210 / 9%)";
      for (let grain = 0; grain < 2500; grain += 1) {
        context.fillRect(Math.random() * width, Math.random() * height, 2, 2);
      }
      for (const [left, tall, colour] of [
        [96, 66, "#7d4b31"],
        [150, 40, "#566a63"],
        [470, 84, "#8a6a3a"],
        [528, 52, "#4a4458"],
      ] as const) {
        context.fillStyle = colour;
        context.beginPath();
        context.roundRect(left, 274 - tall, 40, tall, 5);
        context.fill();
      }
    };
    draw();
    setInterval(draw, 1000 / 24);
    const [track] = canvas.captureStream(24).getVideoTracks();
    if (track === undefined) throw new Error("no track");
    return track;
  };
  const microphone = () => {
    const sound = new AudioContext({ sampleRate: 48_000 });
    const voice = new OscillatorNode(sound, { type: "sawtooth", frequency: 148 });
    const words = new GainNode(sound, { gain: 0.16 });
    const pace = new OscillatorNode(sound, { frequency: 2.3 });
    const out = sound.createMediaStreamDestination();
    voice.connect(words).connect(out);
    pace.connect(new GainNode(sound, { gain: 0.13 })).connect(words.gain);
    voice.start();
    pace.start();
    const [track] = out.stream.getAudioTracks();
    if (track === undefined) throw new Error("no track");
    return track;
  };
  const { mediaDevices, permissions } = navigator;
  mediaDevices.enumerateDevices = async () => list.map((one) => ({ ...one, toJSON: () => one }));
  mediaDevices.getUserMedia = async (wanted) => {
    const stream = new MediaStream();
    if (wanted?.video) stream.addTrack(camera());
    if (wanted?.audio) stream.addTrack(microphone());
    return stream;
  };
  const query = permissions.query.bind(permissions);
  permissions.query = async (what) =>
    ["camera", "microphone"].includes(what.name)
      ? (Object.assign(new EventTarget(), { state: "granted", name: what.name, onchange: null }) as PermissionStatus)
      : query(what);
}

function item(id: string, source: string, place: Partial<Transform> = {}) {
  return { id, source, locked: false, visible: true, opacity: 1, transform: { ...filling(CANVAS), ...place } };
}

function text(id: string, name: string, words: string, size: number, colour: string): Source {
  const look = { font: "Inter", weight: 700, background: null, align: "left" } as const;
  return { id, name, kind: "text", text: words, font_size: size, colour, filters: [], ...look };
}

/** A show of three scenes. */
function madeShow(destinations: StudioDocument["destinations"]): StudioDocument {
  const show = newDocument("Bench");
  const device = { id: "lamp", label: "Desk camera" };
  const size = { width: null, height: null, frame_rate: null };
  const music = { ...DEFAULT_AUDIO, gain: -14, muted: true };
  return {
    ...show,
    canvas: CANVAS,
    encoding: { ...show.encoding, video_bitrate: 2_500_000 },
    sources: [
      { id: "camera", name: "Desk camera", kind: "camera", device, ...size, filters: [] },
      {
        id: "mic",
        name: "Desk mic",
        kind: "microphone",
        device: { id: "hum", label: "Desk mic" },
        audio: { ...DEFAULT_AUDIO, gain: -3 },
        echo_cancellation: false,
      },
      { id: "mic-2", name: "Room mic", kind: "microphone", device, audio: music, echo_cancellation: false },
      text("title", "Lower third", "Lamp Lab", 26, "#f7f4ef"),
      text("line", "Second line", "Building lamps, badly, live", 13, "#d9cdbd"),
      text("soon", "Starting soon", "Starting soon", 44, "#ffb547"),
      { id: "wall", name: "Dark wall", kind: "colour", colour: "#17120e", filters: [] },
      { id: "panel", name: "Panel", kind: "colour", colour: "#120e0bdd", filters: [] },
    ],
    scenes: [
      {
        id: "bench",
        name: "Bench",
        transition: null,
        items: [
          item("b1", "camera", { fit: "cover" }),
          item("b2", "panel", { x: 118, y: 316, width: 190, height: 56 }),
          item("b3", "title", { x: 112, y: 306, width: 150, height: 30 }),
          item("b4", "line", { x: 120, y: 330, width: 166, height: 18 }),
          item("b5", "mic"),
          item("b6", "mic-2"),
        ],
      },
      {
        id: "close",
        name: "Close up",
        transition: null,
        items: [item("c1", "camera", { width: 1200, height: 675, x: 320, y: 190 }), item("c2", "mic")],
      },
      {
        id: "waiting",
        name: "Starting soon",
        transition: null,
        items: [item("w1", "wall"), item("w2", "soon", { width: 360, height: 60 })],
      },
    ],
    destinations,
    program: "bench",
    preview: "bench",
  };
}

/** A studio with a show in it. @param keys stream key of each destination, by its id. */
async function openStudio(
  show: StudioDocument,
  settings: Record<string, unknown>,
  keys: Readonly<Record<string, string>>,
): Promise<{ readonly studio: StudioWebProcess } & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), "klieg-screenshots-"));
  await writeFile(path.join(folder, "show.json"), writeDocument(show));
  await writeFile(path.join(folder, "settings.json"), JSON.stringify(settings));
  const secrets = await FileSecretStore.open(path.join(folder, "secrets.json"), undefined, systemClock);
  for (const [destination, key] of Object.entries(keys)) await secrets.set(destination, "stream_key", key);
  const studio = await StudioWebProcess.start({ dataDir: folder });
  return {
    studio,
    async [Symbol.asyncDispose]() {
      await studio[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openPage(browser: Browser, link: string): Promise<Page> {
  const context = await browser.newContext({ viewport: VIEWPORT, colorScheme: "dark" });
  await context.addInitScript(makeDevices);
  const page = await context.newPage();
  await page.goto(link);
  return page;
}

async function take(page: Page, name: string): Promise<void> {
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations === 1);
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });
  const file = path.join(IMAGES, `${name}.png`);
  await page.screenshot({ path: file });
  process.stdout.write(`${path.relative(ROOT, file)}\n`);
}

/** Waits until nothing is said in passing any more, and the show has had some time of figures. */
async function settle(page: Page, seconds: number): Promise<void> {
  await page.waitForTimeout(seconds * 1000);
  await page.waitForFunction(() => document.querySelector(".toast") === null);
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

async function goodDays(browser: Browser): Promise<void> {
  await using backend = await BackendProcess.start({ env: { KLIEG_LADDER: "off" } });
  await using opened = await openStudio(madeShow([]), { welcomed: false }, {});
  const page = await openPage(browser, opened.studio.link);
  await page.getByLabel("Server's address").fill(backend.http);
  await page.getByLabel("Stream key").fill(backend.key);
  await button(page, "Connect").click();
  await page.getByText("Your key opens the channel").waitFor();
  await button(page, "Next").click();
  await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
  await page.waitForFunction(() => (document.querySelector("meter")?.value ?? -60) > -30);
  await take(page, "studio-first-run");
  // The show has these already.
  await button(page, "Later").click();
  await button(page, "Next").click();
  await button(page, "Not yet").click();
  await settle(page, 1);
  await button(page, "Go live").click();
  const dialog = page.getByRole("dialog", { name: "Go live" });
  await dialog.getByLabel("Title").fill(TITLE);
  await dialog.getByLabel("Category").fill("Workshop");
  await take(page, "studio-go-live");
  await dialog.getByText("At once").click();
  await dialog.getByRole("button", { name: "Go live" }).click();
  await page.getByRole("timer", { name: /^On air/ }).waitFor();
  await backend.live();
  await page.getByText("Lower third", { exact: true }).first().click();
  await settle(page, 20);
  // Whatever the computer has to do beside this.
  await page.getByText("All is well").waitFor({ timeout: 60_000 });
  await take(page, "studio");
  await button(page, "End stream").click();
  await page.getByRole("dialog").getByRole("button", { name: "End stream" }).click();
  await button(page, "Go live").waitFor();
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.getByRole("tab", { name: "Video" }).click();
  await button(page, "Test this computer").click();
  await page.getByText("This computer can do").waitFor({ timeout: 90_000 });
  await settle(page, 0);
  await take(page, "studio-settings");
  await page.context().close();
}

/** Two guests have come by the link; one is on stage. */
async function guests(browser: Browser): Promise<void> {
  await using backend = await BackendProcess.start({ env: { KLIEG_LADDER: "off" } });
  const home = { id: "home", name: "My server", enabled: true, kind: "klieg", url: backend.http, channel: "" } as const;
  await using opened = await openStudio(
    madeShow([{ ...home, protocol: "srt" }]),
    { welcomed: true, last_title: TITLE },
    { home: backend.key },
  );
  const page = await openPage(browser, opened.studio.link);
  await page.getByRole("tab", { name: "Guests" }).click();
  await button(page, "Open the room").click();
  const link = await page.getByRole("textbox", { name: "Invite link" }).inputValue();
  await using ada = await RoomTab.open(browser, { link, media: { hue: 30, saturation: 24, tone: 220 } });
  await using ben = await RoomTab.open(browser, { link, media: { hue: 190, saturation: 24, tone: 180 } });
  await ada.join("Ada");
  await ben.join("Ben");
  const row = page.getByRole("list", { name: "Guests in the room" }).getByRole("listitem");
  await row.filter({ hasText: "Ben" }).getByText("Backstage").waitFor();
  await row.filter({ hasText: "Ada" }).getByRole("button", { name: "Put Ada on stage" }).click();
  await row.filter({ hasText: "Ada" }).getByText("On stage").waitFor();
  await settle(page, 4);
  await take(page, "studio-guests");
  await page.context().close();
}

/** An upload that becomes too narrow in mid-show. */
async function badDay(browser: Browser): Promise<void> {
  await using backend = await BackendProcess.start({ env: { KLIEG_LADDER: "off" } });
  await using link = await NarrowLink.open({ targetPort: backend.ports.srt, bitrate: 20_000_000, queueBytes: 96_000 });
  const url = `srt://127.0.0.1:${link.port}`;
  const destination = { id: "relay", name: "My server", enabled: true, kind: "srt", url } as const;
  await using opened = await openStudio(
    madeShow([destination]),
    { welcomed: true, last_title: TITLE },
    { relay: backend.key },
  );
  const page = await openPage(browser, opened.studio.link);
  await button(page, "Go live").click();
  const dialog = page.getByRole("dialog", { name: "Go live" });
  await dialog.getByText("At once").click();
  await dialog.getByRole("button", { name: "Go live" }).click();
  await page.getByRole("timer", { name: /^On air/ }).waitFor();
  await settle(page, 14);
  link.bitrate = 1_500_000;
  await page
    .getByText(/^Upload can't keep/)
    .first()
    .waitFor();
  await settle(page, 3);
  await take(page, "studio-trouble");
  await page.context().close();
}

const browser = await openChromium();
try {
  for (const [part, take] of Object.entries({ good: goodDays, guests, bad: badDay })) {
    if (process.argv.length <= 3 || process.argv.includes(part, 3)) await take(browser);
  }
} finally {
  await browser.close();
}

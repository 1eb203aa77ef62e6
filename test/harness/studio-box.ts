import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "@klieg/base";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { writeDocument } from "../../apps/studio/src/document/document-file.ts";
import type { StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { FileSecretStore } from "../../apps/studio/src/engine/secrets/file-secret-store.ts";
import { CLOCK_STRIP } from "../../scripts/demo/clock-strip.ts";
import { StudioWebProcess } from "./studio-web.ts";

/** The tone that an injected microphone hears: frequency in Hz, and level. */
export const TONE = { hertz: 997, peakDb: -20 } as const;

/**
 * In the page, before anything of its own: the camera is a picture of one colour with the wall clock in it (see
 * clock-strip.ts), the microphone a tone of a known level; both through the functions that the page asks the browser with.
 */
function devices(colour: string): string {
  return `(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const strip = ${JSON.stringify(CLOCK_STRIP)};
  const [width, height] = [640, 360];
  const list = [
    { kind: "videoinput", deviceId: "clock", label: "Clock camera", groupId: "" },
    { kind: "audioinput", deviceId: "tone", label: "Tone microphone", groupId: "" },
  ];
  const camera = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    const draw = () => {
      context.fillStyle = ${JSON.stringify(colour)};
      context.fillRect(0, 0, width, height);
      const now = Date.now();
      const cell = (width * strip.width) / strip.bits;
      const row = (height * strip.height) / 2;
      for (let bit = 0; bit < strip.bits; bit += 1) {
        const one = Math.floor(now / 2 ** (strip.bits - 1 - bit)) % 2 === 1;
        const x = Math.round(width * strip.left + bit * cell);
        const next = Math.round(width * strip.left + (bit + 1) * cell);
        context.fillStyle = one ? "#eee" : "#111";
        context.fillRect(x, height * strip.top, next - x, row);
        context.fillStyle = one ? "#111" : "#eee";
        context.fillRect(x, height * strip.top + row, next - x, row);
      }
    };
    draw();
    setInterval(draw, 1000 / 30);
    return canvas.captureStream(30).getVideoTracks()[0];
  };
  const microphone = () => {
    const context = new AudioContext({ sampleRate: 48000 });
    const tone = new OscillatorNode(context, { frequency: ${TONE.hertz} });
    const out = context.createMediaStreamDestination();
    tone.connect(new GainNode(context, { gain: ${10 ** (TONE.peakDb / 20)} })).connect(out);
    tone.start();
    return out.stream.getAudioTracks()[0];
  };
  devices.enumerateDevices = async () => list.map((one) => ({ ...one, toJSON: () => one }));
  devices.getUserMedia = async ({ audio, video }) => {
    const stream = new MediaStream();
    if (video) stream.addTrack(camera());
    if (audio) stream.addTrack(microphone());
    return stream;
  };
  const query = navigator.permissions.query.bind(navigator.permissions);
  navigator.permissions.query = async (what) =>
    ["camera", "microphone"].includes(what.name) ? Object.assign(new EventTarget(), { state: "granted" }) : query(what);
})()`;
}

/**
 * In the page, before anything of its own: `pullCamera(true)` takes the browser's cameras away, as far as a page sees it, and
 * `pullCamera(false)` brings them back. The browser's made-up camera cannot be pulled out.
 */
const PULLABLE = `(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const open = devices.getUserMedia.bind(devices);
  const list = devices.enumerateDevices.bind(devices);
  const tracks = new Set();
  let out = false;
  devices.getUserMedia = async (wishes) => {
    if (out && wishes.video) throw new DOMException("Requested device not found", "NotFoundError");
    const stream = await open(wishes);
    for (const track of stream.getVideoTracks()) tracks.add(track);
    return stream;
  };
  devices.enumerateDevices = async () => (await list()).filter(({ kind }) => !out || kind !== "videoinput");
  globalThis.pullCamera = (pulled) => {
    out = pulled;
    for (const track of pulled ? tracks : []) {
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }
    tracks.clear();
    devices.dispatchEvent(new Event("devicechange"));
  };
})()`;

export interface StudioBoxOptions {
  /** The show that it begins with. */
  readonly show: StudioDocument;
  /** Stream key of each destination, by its id. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** The studio as a capture box with a show in it, and pages with devices by which what they send is known. */
export class StudioBox implements AsyncDisposable {
  readonly folder: string;
  #process: StudioWebProcess;

  private constructor(folder: string, process: StudioWebProcess) {
    this.folder = folder;
    this.#process = process;
  }

  static async start({ show, keys = {} }: StudioBoxOptions): Promise<StudioBox> {
    const folder = await mkdtemp(path.join(tmpdir(), "klieg-studio-box-"));
    try {
      await writeFile(path.join(folder, "show.json"), writeDocument(show));
      await writeFile(path.join(folder, "settings.json"), JSON.stringify({ welcomed: true }));
      const secrets = await FileSecretStore.open(path.join(folder, "secrets.json"), undefined, systemClock);
      for (const [destination, key] of Object.entries(keys)) await secrets.set(destination, "stream_key", key);
      return new StudioBox(folder, await StudioWebProcess.start({ dataDir: folder }));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Pid of the process that has the engine. */
  get pid(): number {
    return this.#process.child.pid;
  }

  get recordings(): string {
    return path.join(this.folder, "recordings");
  }

  /**
   * Opens the studio's page in a context of its own.
   * @param colour of the camera's picture; the browser's own devices without.
   * @param prepare is given the context before.
   */
  async open(browser: Browser, colour?: string, prepare?: (context: BrowserContext) => Promise<void>): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
    await prepare?.(context);
    if (colour !== undefined) await context.addInitScript(devices(colour));
    const page = await context.newPage();
    await page.goto(this.#process.link);
    return page;
  }

  /** As {@link open}, with the browser's own camera and microphone, which the page has leave to use, and {@link PULLABLE}. */
  async openWithBrowserDevices(browser: Browser): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: "dark",
      permissions: ["camera", "microphone"],
    });
    await context.addInitScript(PULLABLE);
    const page = await context.newPage();
    await page.goto(this.#process.link);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Goes live at once, as its operator does. Resolves when the page says so. */
export async function goLive(page: Page, title: string): Promise<void> {
  await page.getByRole("button", { name: "Go live" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Go live" });
  await dialog.getByLabel("Title").fill(title);
  await dialog.getByText("At once").click();
  await dialog.getByRole("button", { name: "Go live" }).click();
  await page.getByText("On air", { exact: true }).waitFor();
}

/** Resolves when the page says that it is off air. */
export async function endStream(page: Page): Promise<void> {
  await page.getByRole("button", { name: "End stream" }).first().click();
  await page.getByRole("dialog", { name: "End the stream?" }).getByRole("button", { name: "End stream" }).click();
  await page.getByText("Off air").first().waitFor();
}

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newDocument } from "../../apps/studio/src/document/studio-document.ts";
import { openChromium } from "../harness/chromium.ts";
import { ffmpeg } from "../harness/ffmpeg-units.ts";
import { hueAt, isHue, loudness } from "../harness/recorded-program.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { RtspServer } from "../harness/rtsp-server.ts";
import { StudioBox } from "../harness/studio-box.ts";
import { MEDIA_ARGS } from "../harness/studio-media-tab.ts";
import { until } from "../harness/until.ts";

requirePackages("python3-gi", "gir1.2-gst-rtsp-server-1.0");

let folder: string;
let camera: RtspServer;
let box: StudioBox;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "klieg-streams-"));
  [camera, box, browser] = await Promise.all([
    RtspServer.start(),
    StudioBox.start({ show: newDocument("Scene") }),
    openChromium({ args: MEDIA_ARGS }),
  ]);
  page = await box.open(browser);
  page.setDefaultTimeout(12_000);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await box?.[Symbol.asyncDispose]();
  await camera?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
const dialog = () => page.getByRole("dialog");
const sources = () => page.getByRole("list", { name: /^Sources of this scene/ });

/** Opens the dialog for a new source of a kind. */
async function newSource(kind: RegExp): Promise<void> {
  await button("Add").first().click();
  await dialog().getByRole("button", { name: kind }).click();
}

async function typeAddress(address: string, password = ""): Promise<void> {
  await dialog().getByLabel("Address").fill(address);
  await dialog().getByLabel("Password").fill(password);
  await dialog().getByRole("button", { name: /^Try/ }).click();
}

/** Resolves once the mixer shows sound: the program is heard as soon as it has come so far. */
async function heard(): Promise<void> {
  await page.waitForFunction(() => {
    const peaks = Array.from(document.querySelectorAll("[data-peak]"), (peak) => peak.textContent.replace("−", "-"));
    return peaks.some((peak) => Number.parseFloat(peak) > -40);
  });
}

/** The recording of what the program shows and plays for some seconds. */
async function recorded(seconds: number): Promise<string> {
  const before = new Set(await readdir(box.recordings).catch(() => []));
  await button("Record").click();
  const stop = page.getByRole("button", { name: /Press to stop/ });
  await stop.getByText(`0:0${seconds}`).waitFor();
  await stop.click();
  await button("Record").waitFor();
  const [name] = (await readdir(box.recordings)).filter((file) => !before.has(file));
  if (name === undefined) throw new Error("nothing was recorded");
  return path.join(box.recordings, name);
}

describe("streams that a browser cannot open, by the engine (STU1, TRN3)", () => {
  test("a camera of the network is tried out, added, seen and heard in the program, and comes back after it was gone", async () => {
    await newSource(/^Stream/);
    expect(await dialog().getByRole("button", { name: "Add", exact: true }).isDisabled()).toBe(true);
    await typeAddress(`rtsp://127.0.0.1:${camera.port}/nowhere`);
    await dialog().getByText("There is nothing of this name at the address").waitFor();
    await typeAddress(camera.secret, "wrong");
    await dialog().getByText("It wants another user name or password").waitFor();
    // Typed into the address it is taken out of it.
    await typeAddress(camera.secret.replace("@", `:${encodeURIComponent(RtspServer.PASSWORD)}@`));
    await dialog().getByText("640 × 360, 30 fps, H.264, with sound").waitFor();
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    expect(await page.getByLabel("Address").inputValue()).toBe(camera.secret);
    await page.getByText("Kept by the engine").waitFor();

    await heard();
    const film = await recorded(2);
    expect(await hueAt(film, 1)).toSatisfy((hue: number) => isHue(hue, 120));
    // As loud as the camera sends it: nothing of it is lost between engine, page and mix.
    expect(loudness(film, 1, 440)).toBeCloseTo(0.1, 1);

    await camera.kill();
    await sources().getByText("gone").waitFor();
    await page.getByText("Nobody answers at this address").first().waitFor();
    await using again = await RtspServer.start(camera.port);
    await sources().getByText("gone").waitFor({ state: "detached" });
    expect(again.port).toBe(camera.port);
    await page.getByText("640 × 360, 30 fps, H.264, with sound").waitFor();
  }, 60_000);

  test("pictures of other codecs are converted, and films of other formats are played by the engine", async () => {
    await using jpegs = await RtspServer.start();
    await newSource(/^Stream/);
    await typeAddress(jpegs.jpeg);
    await dialog().getByText("320 × 240, 25 fps, Motion JPEG, without sound").waitFor();
    await dialog().getByText("converted for the browser").waitFor();
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("converted for the browser").waitFor();

    const film = path.join(folder, "film.mpg");
    const picture = ["-f", "lavfi", "-i", "color=c=0xc0c000:s=320x240:r=25:d=2"];
    const tone = ["-f", "lavfi", "-i", "sine=frequency=880:sample_rate=48000:duration=2"];
    await ffmpeg([...picture, ...tone, "-c:v", "mpeg2video", "-b:v", "1M", "-c:a", "mp2", film]);
    await newSource(/^Media file/);
    await dialog().locator("input[type=file]").setInputFiles(film);
    await dialog().getByText("film.mpg").first().waitFor();
    await until(() => dialog().getByRole("button", { name: "Add", exact: true }).isEnabled(), {
      what: "the film is in",
    });
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await heard();
    const made = await recorded(2);
    expect(await hueAt(made, 1)).toSatisfy((hue: number) => isHue(hue, 60));
    expect(loudness(made, 1, 880)).toBeGreaterThan(0.05);
  }, 60_000);

  test("a capture card that is not there is told from an address that is none", async () => {
    await newSource(/^Stream/);
    await dialog().getByLabel("Address").fill("v4l2:/dev/video987");
    await dialog().getByRole("button", { name: /^Try/ }).click();
    await dialog().getByText("There is nothing of this name").waitFor();
    await dialog().getByLabel("Address").fill("file:///etc/passwd");
    expect(await dialog().getByRole("button", { name: /^Try/ }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
  }, 30_000);
});

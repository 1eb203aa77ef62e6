import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults, walkByTab } from "../harness/accessibility.ts";
import { openChromium } from "../harness/chromium.ts";
import { FAKE_DEVICES, StudioWebProcess } from "../harness/studio-web.ts";
import { until } from "../harness/until.ts";

/** Runs in the page: what a picture of the compositor shows at a place of it, shares of its width and height. */
function pixelOf(canvas: Element, [x, y]: readonly [number, number]): string {
  const picture = canvas as HTMLCanvasElement;
  const probe = new OffscreenCanvas(1, 1);
  const context = probe.getContext("2d");
  context?.drawImage(picture, Math.floor(picture.width * x), Math.floor(picture.height * y), 1, 1, 0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context?.getImageData(0, 0, 1, 1).data ?? [];
  return [red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("");
}

/** Runs in the page: a red picture as the bytes of a PNG. */
async function redPicture(): Promise<number[]> {
  const canvas = new OffscreenCanvas(320, 180);
  const context = canvas.getContext("2d");
  if (context !== null) context.fillStyle = "#f00";
  context?.fillRect(0, 0, 320, 180);
  return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
}

const RED = /^f[a-f]0[0-5]0[0-5]$/;
/** The colour that a new colour source has, and the darkness behind a scene. */
const BLUE = /^1[c-e]4[d-f]d[7-9]$/;
const DARK = /^0[a-c]0[9-b]0[8-a]$/;

describe("STU1: the stage in Chromium, with a camera and microphone of its own making", () => {
  let studio: StudioWebProcess;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    [studio, browser] = await Promise.all([StudioWebProcess.start(), openChromium({ args: [...FAKE_DEVICES] })]);
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(studio.link);
    await page.getByRole("button", { name: "Skip, and look around" }).click();
  });
  afterAll(async () => {
    await browser.close();
    await studio[Symbol.asyncDispose]();
  });

  const dialog = () => page.locator("dialog[open]");
  const sources = () => page.getByRole("list", { name: "Sources of this scene, front to back" });
  const source = (name: string) => sources().getByRole("button", { name, exact: true });
  const scene = (name: string) =>
    page.getByRole("list", { name: "Scenes, in their order" }).getByRole("button", { name, exact: true });
  const shows = (picture: Locator, at: readonly [number, number], colour: RegExp) =>
    until(async () => colour.test(await picture.evaluate(pixelOf, at)), { what: `the picture to show ${colour}` });
  const figure = (name: string) => page.getByRole("figure", { name }).locator("canvas");
  const number = async (label: string) =>
    Number((await page.getByRole("textbox", { name: label, exact: true }).inputValue()).replace("−", "-"));
  const saved = () => page.locator("[data-saved=saved]").waitFor();

  async function add(kind: RegExp, fill?: () => Promise<unknown>): Promise<void> {
    await page.keyboard.press("a");
    await dialog().getByRole("button", { name: kind }).click();
    await fill?.();
    await dialog().getByRole("button", { name: "Add", exact: true }).click();
    await dialog().waitFor({ state: "detached" });
  }

  it("says what to do first, and adds sources of several kinds with a live preview of the camera", async () => {
    await page.getByText("An empty stage").waitFor();
    await shows(figure("Program"), [0.1, 0.1], DARK);
    await add(/^Colour/);
    await add(/^Camera/, () => page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0));
    await add(/^Text/, () => dialog().getByRole("textbox", { name: "Text" }).fill("Lamp Lab"));
    await add(/^Microphone/);
    await add(/^Image/, async () => {
      const buffer = Buffer.from(await page.evaluate(redPicture));
      const file = { name: "logo.png", mimeType: "image/png", buffer };
      await dialog().getByLabel("Choose a file…").first().setInputFiles(file);
      await dialog().getByRole("button", { name: "Add", exact: true, disabled: false }).waitFor();
    });
    expect(await sources().getByRole("button", { pressed: true }).textContent()).toBe("logo");
    expect(await sources().getByRole("listitem").count()).toBe(5);
    await shows(figure("Program"), [0.82, 0.2], RED);
    // Behind: the colour; in the corner, green with its clock: the camera.
    await shows(figure("Program"), [0.1, 0.1], BLUE);
    await shows(figure("Program"), [0.75, 0.85], /^00[4-9a-f]/);
  });

  it("moves, resizes and nudges by hand and key, and undoes each as one step", async () => {
    await source("fake_device_0").click();
    const before = [await number("X"), await number("Width")];
    const handle = await page.locator("[data-handle=top_left] .mark").boundingBox();
    if (handle === null) throw new Error("the selected source has no handle");
    const [x, y] = [handle.x + handle.width / 2, handle.y + handle.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x - 60, y - 30, { steps: 5 });
    await page.mouse.up();
    const dragged = [await number("X"), await number("Width")];
    expect(dragged[1]).toBeGreaterThan((before[1] ?? 0) + 50);
    expect((dragged[0] ?? 0) + (dragged[1] ?? 0)).toBeCloseTo((before[0] ?? 0) + (before[1] ?? 0), -1);
    await page.keyboard.press("Control+z");
    expect([await number("X"), await number("Width")]).toEqual(before);
    await page.keyboard.press("Control+Shift+z");
    expect([await number("X"), await number("Width")]).toEqual(dragged);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Shift+ArrowRight");
    expect(await number("X")).toBe((dragged[0] ?? 0) + 11);
    await page.keyboard.press("Delete");
    await source("fake_device_0").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo", exact: true }).last().click();
    await source("fake_device_0").waitFor();
  });

  it("selects by click through the layers, and by key", async () => {
    const stage = page.getByRole("application");
    const box = await stage.boundingBox();
    if (box === null) throw new Error("there is no stage");
    const pressed = () => sources().getByRole("button", { pressed: true }).first().textContent();
    const [x, y] = [box.x + box.width * 0.8, box.y + box.height * 0.8];
    await page.mouse.click(box.x + box.width * 0.1, box.y + box.height * 0.1);
    expect(await pressed()).toBe("Colour");
    await page.keyboard.press("Escape");
    await page.mouse.click(x, y);
    const front = await pressed();
    await page.mouse.click(x, y);
    expect(await pressed()).not.toBe(front);
  });

  it("previews another scene while one is on the program, and takes it", async () => {
    await page.getByRole("button", { name: "Add scene" }).click();
    await page.keyboard.type("Just dark");
    await page.keyboard.press("Enter");
    await page.keyboard.press("p");
    await page.keyboard.press("F2");
    await shows(figure("Preview"), [0.1, 0.1], DARK);
    await shows(figure("Program"), [0.1, 0.1], BLUE);
    await page.keyboard.press("Enter");
    await shows(figure("Program"), [0.1, 0.1], DARK);
    await shows(figure("Preview"), [0.1, 0.1], BLUE);
    expect(await scene("Just dark").getAttribute("aria-current")).toBe("true");
    await scene("Just dark").hover();
    await page.getByRole("button", { name: "More for Just dark" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByText("This scene is on air.").waitFor();
  });

  it("lists every command with its key", async () => {
    await page.keyboard.press("Shift+Slash");
    await dialog().getByRole("searchbox").fill("nudge left");
    expect(await dialog().getByRole("listitem").allTextContents()).toEqual(["Nudge left←", "Nudge left by 10Shift+←"]);
    // The first clears the search, the second closes.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
  });

  it("has a name and a contrast for everything, in both themes and in each dialog (STU4)", async () => {
    const faults: Record<string, string[]> = { window: await accessibilityFaults(page) };
    const opened: Record<string, () => Promise<unknown>> = {
      sources: () => page.keyboard.press("a"),
      commands: () => page.keyboard.press("Shift+Slash"),
      "go live": () => page.getByRole("button", { name: "Go live", exact: true }).click(),
      figures: () => page.getByRole("button", { name: "All figures" }).click(),
      recordings: () => page.getByRole("button", { name: "Recordings", exact: true }).click(),
    };
    for (const [name, open] of Object.entries(opened)) {
      await open();
      await dialog().waitFor();
      faults[name] = await accessibilityFaults(page);
      await page.keyboard.press("Escape");
      await dialog().waitFor({ state: "detached" });
    }
    await page.getByRole("tab", { name: "Guests" }).click();
    faults.guests = await accessibilityFaults(page);
    await page.getByRole("tab", { name: "Properties" }).click();
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    for (const tab of await dialog().getByRole("tab").all()) {
      await tab.click();
      faults[`settings: ${await tab.textContent()}`] = await accessibilityFaults(page);
    }
    await dialog().getByRole("tab", { name: "Appearance" }).click();
    await dialog().getByText("Light", { exact: true }).click();
    await page.locator(":root[data-theme=light]").waitFor();
    faults["settings in the light"] = await accessibilityFaults(page);
    await page.keyboard.press("Escape");
    faults["window in the light"] = await accessibilityFaults(page);
    expect(Object.entries(faults).filter(([, found]) => found.length > 0)).toEqual([]);
  });

  it("lets Tab come by every control, shows where it is, and lets it out again (STU4)", async () => {
    await source("fake_device_0").click();
    const { stops, missed } = await walkByTab(page);
    expect(missed).toEqual([]);
    expect(stops.length).toBeGreaterThan(30);
    expect(stops.filter(({ visible }) => !visible)).toEqual([]);
    const region = () =>
      page.evaluate(() => document.activeElement?.closest(".bar, .side > *, .stage, .dock > *, .panel")?.className);
    const regions: unknown[] = [];
    for (const key of ["F6", "F6", "F6", "F6", "F6", "F6", "F6", "Shift+F6"]) {
      await page.keyboard.press(`Control+${key}`);
      regions.push(await region());
    }
    const ring = ["bar", "list-section scenes", "list-section sources", "stage", "mixer", "health", "panel"];
    const begun = ring.indexOf(String(regions[0]));
    expect(regions).toEqual([0, 1, 2, 3, 4, 5, 6, 5].map((by) => ring[(begun + by) % ring.length]));
  });

  it("says in words that the camera may not be used", async () => {
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    });
    await page.keyboard.press("a");
    await dialog()
      .getByRole("button", { name: /^Camera/ })
      .click();
    await page.getByText("The camera may not be used.").waitFor();
    await page.keyboard.press("Escape");
  });

  it("has the show again after the page was loaded anew", async () => {
    await saved();
    await page.reload();
    await scene("Just dark").waitFor();
    await scene("Scene 1").click();
    await source("fake_device_0").waitFor();
    expect(await sources().getByRole("listitem").count()).toBe(5);
    await shows(figure("Preview"), [0.1, 0.1], BLUE);
    await shows(figure("Preview"), [0.82, 0.2], RED);
    expect(complaints).toEqual([]);
  });
});

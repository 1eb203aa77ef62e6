import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { VideoFilter } from "../../apps/studio/src/document/filter.ts";
import type { Source } from "../../apps/studio/src/document/source.ts";
import type { StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { fault, makeFaulty } from "../harness/faulty-worker.ts";
import { ffmpeg } from "../harness/ffmpeg-units.ts";
import type { ServedFile } from "../harness/module-tab.ts";
import { StudioMediaTab } from "../harness/studio-media-tab.ts";
import { CAMERA_SOURCE, difference, itemOf, type Rgb, showOf } from "../harness/studio-show.ts";
import { until } from "../harness/until.ts";

/** Somebody in front of a camera; where that is missing, made footage with nobody in it. */
const PERSON = join(import.meta.dirname, "../../../shared/media/webcam-person-640x480-30.mp4");
const somebody = existsSync(PERSON);
const CANVAS = { width: 640, height: 480 };
const STAGE: Rgb = [200, 30, 160];
const ENCODING = {
  encoder: "auto",
  video_bitrate: 1_500_000,
  audio_bitrate: 128_000,
  keyframe_interval: 2,
  adaptive: true,
};

/** Parts of the picture in which there is much to be seen: print on a shirt, and edges of what hangs on the wall. */
const SHIRT = { x: 260, y: 200, width: 120, height: 120 };
const WALL = { x: 470, y: 90, width: 60, height: 240 };
type Part = typeof SHIRT;

let tab: StudioMediaTab;

beforeAll(async () => {
  const input = somebody ? ["-ss", "2", "-i", PERSON] : ["-f", "lavfi", "-i", "testsrc2=size=640x480"];
  const bytes = await ffmpeg([...input, "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "pipe:1"]);
  const assets: Record<string, ServedFile> = { "person.png": { type: "image/png", bytes } };
  tab = await StudioMediaTab.open({ assets });
  await makeFaulty(tab.page, { hardware: true });
  await reload();
}, 60_000);

afterAll(async () => {
  await tab?.[Symbol.asyncDispose]();
});

async function reload(): Promise<void> {
  const ready = tab.page.waitForEvent("console", (message) => message.text() === "ready");
  await Promise.all([ready, tab.page.reload()]);
}

const update = (document: StudioDocument) => tab.run((studio, show) => studio.update(show), document);
const statistics = () => tab.run((studio) => studio.media.statistics());

function showing(source: Source): StudioDocument {
  const show = showOf([source], [[itemOf(source.id, { x: 320, y: 240, ...CANVAS })]], STAGE);
  show.canvas = { ...show.canvas, ...CANVAS };
  return show;
}

function still(filters: VideoFilter[]): StudioDocument {
  return showing({ id: "person", name: "Person", kind: "image", path: "person.png", filters });
}

function camera(filters: VideoFilter[]): Source {
  return { ...CAMERA_SOURCE, filters } as Source;
}

/** How sharp a part of the program is: mean square of the difference from pixel to pixel. */
async function sharpness({ x, y, width, height }: Part): Promise<number> {
  const points: [number, number][] = [];
  for (let row = y; row < y + height; row += 8) {
    for (let column = x; column < x + width; column += 1) points.push([column, row]);
  }
  const { pixels } = await tab.run((studio, at) => studio.pixels(at), points);
  let sum = 0;
  for (let i = 1; i < pixels.length; i += 1) {
    if (i % width !== 0) sum += difference(pixels[i] ?? [], pixels[i - 1] ?? []) ** 2;
  }
  return sum / pixels.length;
}

async function colourAt(x: number, y: number): Promise<readonly number[]> {
  const { pixels } = await tab.run((studio, at) => studio.pixels(at), [[x, y]] as [number, number][]);
  return pixels[0] ?? [];
}

describe("STU1: the background of people", () => {
  test("is blurred or taken out, and they are not", async () => {
    await update(still([]));
    await until(async () => (await sharpness(WALL)) > 1, { what: "the picture is there" });
    const [shirt, wall] = [await sharpness(SHIRT), await sharpness(WALL)];

    await update(still([{ id: "f", enabled: true, kind: "background_blur", radius: 20 }]));
    // Before anybody is found, all is hidden.
    const hidden = async () => (await sharpness(WALL)) < wall * 0.2;
    await until(hidden, { what: "the wall is blurred" });
    await until(() => tab.run((studio) => studio.media.compositor.segmentation?.state === "running"), {
      what: "people are looked for",
      diagnose: () => tab.complaints.join("\n"),
    });
    if (somebody) {
      await until(async () => (await sharpness(SHIRT)) > shirt * 0.7, { what: "the shirt is not blurred" });
      expect(await hidden()).toBe(true);
    } else {
      expect(await sharpness(SHIRT)).toBeLessThan(shirt * 0.2);
    }

    await update(still([{ id: "f", enabled: true, kind: "background_removal" }]));
    await until(async () => difference(await colourAt(600, 60), STAGE) < 12, {
      what: "the stage is seen for the wall",
    });
    if (somebody) expect(await sharpness(SHIRT)).toBeGreaterThan(shirt * 0.7);

    // A camera's pictures are looked at one after the other.
    await update(showing(camera([{ id: "f", enabled: true, kind: "background_removal" }])));
    await until(async () => difference(await colourAt(20, 20), STAGE) < 12, {
      what: "the camera's background is gone",
    });
    await update(still([]));
    expect(tab.complaints).toEqual([]);
  });
});

describe("STU1 STU2: what goes wrong in mid-show", () => {
  test("the graphics card is reset: the last picture stays on air, and it comes back by itself", async () => {
    await update(still([]));
    await tab.run(
      (studio, encoding) => studio.media.startProgram({ encoding, ways: { engine: true, whip: [] } }),
      ENCODING,
    );
    const pictures = () => tab.run((studio) => studio.messages().filter(({ kind }) => kind === "avc").length);
    await until(async () => (await pictures()) > 10, { what: "the show is encoded" });
    const before = await colourAt(550, 200);

    await fault(tab.page, "loseCard");
    await until(async () => (await statistics()).problem?.kind === "gpu_lost", { what: "it is told" });
    const then = await pictures();
    await until(async () => (await pictures()) > then + 10, { what: "the show goes on" });
    expect(difference(await colourAt(550, 200), before)).toBeLessThan(4);

    await fault(tab.page, "giveCardBack");
    await until(async () => (await statistics()).problem === undefined, { what: "the card is back" });
    // What is drawn is new: another document is seen.
    const paint: Source = { id: "paint", name: "Paint", kind: "colour", colour: "#2060a0", filters: [] };
    await update(showing(paint));
    await until(async () => difference(await colourAt(550, 200), [0x20, 0x60, 0xa0]) < 12, {
      what: "it is drawn again",
    });
  });

  test("the browser's GPU process dies: the same", async () => {
    await update(showing(camera([])));
    await until(async () => (await statistics()).sources.some(({ frameRate }) => frameRate > 0), {
      what: "the camera's pictures",
    });
    const pictures = () => tab.run((studio) => studio.messages().filter(({ kind }) => kind === "avc").length);
    const session = await tab.browser.newBrowserCDPSession();
    // The answer is lost with the process.
    session.send("Browser.crashGpuProcess").catch(() => undefined);
    await until(async () => (await statistics()).problem?.kind === "gpu_lost", { what: "it is told" });
    const then = await pictures();
    await until(async () => (await pictures()) > then + 10, { what: "the show goes on" });
    await until(async () => (await statistics()).problem === undefined, { what: "the card is back" });
    const paint: Source = { id: "paint", name: "Paint", kind: "colour", colour: "#a06020", filters: [] };
    await update(showing(paint));
    await until(async () => difference(await colourAt(550, 200), [0xa0, 0x60, 0x20]) < 12, {
      what: "it is drawn again",
    });
    await session.detach();
  });

  test("the hardware's encoder dies: the CPU encodes, and then the engine; it is said, and nothing is lost of the show", async () => {
    const inUse = async () => (await statistics()).encoder;
    expect(await inUse()).toMatchObject({ name: "browser_hardware", hardware: true });
    expect((await statistics()).failedEncoder).toBeUndefined();
    await tab.run((studio) => studio.takeMessages());
    await fault(tab.page, "failEncoder");
    await until(async () => (await inUse())?.name === "browser_software", { what: "the CPU encodes" });
    expect((await statistics()).failedEncoder?.message).toMatch(/GPU stopped encoding: the driver died/);
    const first = await until(
      () =>
        tab.run((studio) =>
          studio
            .messages()
            .filter(({ kind }) => kind.startsWith("avc"))
            .slice(-40),
        ),
      { what: "its pictures" },
    );
    expect(first.length).toBeGreaterThan(0);
    await until(
      () =>
        tab.run((studio) =>
          studio.messages().some(({ kind }, i, all) => kind === "avc_config" && all[i + 1]?.kind === "avc"),
        ),
      { what: "it begins with a configuration and a keyframe" },
    );

    await fault(tab.page, "failEncoder");
    await until(async () => (await inUse())?.name === "browser_software", { what: "the CPU is tried once more" });
    await until(
      async () => {
        await fault(tab.page, "failEncoder").catch(() => undefined);
        return (await inUse())?.codec === "";
      },
      { what: "the engine is to encode", everyMs: 300 },
    );
    await tab.run((studio) => studio.takeMessages());
    const raw = await until(() => tab.run((studio) => studio.messages().find(({ kind }) => kind === "i420")), {
      what: "whole pictures",
    });
    expect(raw).toMatchObject({ width: 640, height: 480, size: 640 * 480 * 1.5 });

    // The link is full: pictures are left out and counted, and come again when it is not.
    const dropped = async () => (await statistics()).dropped.link;
    const none = await dropped();
    await tab.run((studio) => {
      studio.link.buffered = 1e9;
    });
    await until(async () => (await dropped()) > none + 10, { what: "pictures are left out" });
    await tab.run((studio) => {
      studio.link.buffered = 0;
      studio.takeMessages();
    });
    await until(() => tab.run((studio) => studio.messages().length > 5), { what: "pictures come again" });
    await tab.run((studio) => studio.media.stopProgram());
    await until(async () => (await statistics()).failedEncoder === undefined, { what: "it is said no more" });
  });
});

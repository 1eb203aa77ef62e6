import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { resolve } from "node:path";
import type { Page } from "playwright-core";

const CLOCK_STRIP_FILE = resolve(import.meta.dirname, "../../scripts/demo/clock-strip.ts");

/** A frame as the page showed it. */
export interface ShownFrame {
  /** Unix ms: when it was on the screen, as far as the browser can say. */
  readonly shownAt: number;
  /** Unix ms: when it was made, as its picture says. */
  readonly madeAt: number;
  /** The player's own word on its latency at that moment, s; null where it says none. */
  readonly told: number | null;
}

interface ClockReader {
  frames: ShownFrame[];
  unreadable: number;
}

/**
 * In the page: reads the strip of every frame that the first video element presents, from a canvas that the frame is
 * drawn on. The strip's reader itself is the demo's, with its types removed.
 */
const READER = `(() => {
  ${stripTypeScriptTypes(readFileSync(CLOCK_STRIP_FILE, "utf8")).replaceAll("export ", "")}
  const state = { frames: [], unreadable: 0 };
  window.kliegPictureClock = state;
  const canvas = new OffscreenCanvas(1, 1);
  let context;
  const read = (video, frame) => {
    const { width, height } = frame;
    // The strip is near the upper edge: no more than that need be copied.
    const rows = Math.ceil(height * (CLOCK_STRIP.top + CLOCK_STRIP.height) + 2);
    if (canvas.width !== width || canvas.height !== rows) {
      canvas.width = width;
      canvas.height = rows;
      context = canvas.getContext("2d", { willReadFrequently: true });
    }
    context.drawImage(video, 0, 0, width, rows, 0, 0, width, rows);
    const { data } = context.getImageData(0, 0, width, rows);
    const luma = (x, y) => {
      const at = (y * width + x) * 4;
      return data[at] * 0.2126 + data[at + 1] * 0.7152 + data[at + 2] * 0.0722;
    };
    return readClockStrip(luma, width, height);
  };
  const watch = (video) => {
    video.requestVideoFrameCallback((now, frame) => {
      const ahead = Math.max(0, frame.expectedDisplayTime - performance.now());
      const shownAt = Date.now() + ahead;
      const told = Number.parseFloat(video.closest("[data-latency]")?.dataset.latency ?? "");
      const madeAt = read(video, frame);
      if (madeAt === undefined) state.unreadable += 1;
      else state.frames.push({ shownAt, madeAt, told: Number.isNaN(told) ? null : told });
      watch(video);
    });
  };
  const seen = new WeakSet();
  addEventListener("loadeddata", (event) => {
    if (!(event.target instanceof HTMLVideoElement) || seen.has(event.target)) return;
    seen.add(event.target);
    watch(event.target);
  }, true);
})()`;

/** Prepares a page for {@link takeShownFrames}; to be called before it is navigated. */
export async function readPictureClock(page: Page): Promise<void> {
  await page.addInitScript({ content: READER });
}

/** Resolves once a frame was shown whose clock could be read. */
export async function firstShownFrame(page: Page): Promise<ShownFrame> {
  const first = await page.waitForFunction(
    () => (globalThis as unknown as { kliegPictureClock: ClockReader }).kliegPictureClock.frames[0],
  );
  return (await first.jsonValue()) as ShownFrame;
}

/** The frames shown since the last call, and how many of them could not be read. */
export function takeShownFrames(page: Page): Promise<ClockReader> {
  return page.evaluate(() => {
    const state = (globalThis as unknown as { kliegPictureClock: ClockReader }).kliegPictureClock;
    const taken = { ...state };
    state.frames = [];
    state.unreadable = 0;
    return taken;
  });
}

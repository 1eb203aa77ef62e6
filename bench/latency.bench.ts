import { resolve } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { BackendProcess } from "../test/harness/backend.ts";
import { Child } from "../test/harness/child.ts";
import { openChromium } from "../test/harness/chromium.ts";
import { firstShownFrame, takeShownFrames } from "../test/harness/picture-clock.ts";
import { WatchedPage } from "../test/harness/watched-page.ts";
import { percentile } from "./measure/percentile.ts";
import type { Section } from "./section.ts";

type Browser = Awaited<ReturnType<typeof openChromium>>;

const WATCHED_MS = 60_000;
const NAVIGATIONS = 20;
const DEMO = resolve(import.meta.dirname, "../scripts/demo.ts");
/** Budgets, s. */
const P95_BUDGET = 1.5;
const MAX_BUDGET = 3;
const START_BUDGET = 1;

export const name = "Latency: glass to glass, and player start-up";

/** `npm run demo`, over RTMP and over SRT, watched in Chromium: the clock in the picture against the clock of the machine. */
export async function run(): Promise<Section> {
  const browser = await openChromium();
  try {
    const rtmp = await watch(browser, "rtmp");
    const srt = await watch(browser, "srt");
    const start = rtmp.startUps;
    const both = [...rtmp.latencies, ...srt.latencies];
    const p95 = Math.max(percentile(rtmp.latencies, 0.95), percentile(srt.latencies, 0.95));
    const startP95 = percentile(start, 0.95);
    return {
      summary:
        `\`npm run demo\` (720p30, x264 without look-ahead) into the backend and out to Chromium ${browser.version()} on ` +
        `the same machine, ${WATCHED_MS / 1000} s each from the first frame on. The time that is drawn into every frame ` +
        "as it is made is read back from a canvas that the player's frame was drawn on, and taken from the time at " +
        `which the browser puts the frame on the screen. Start-up: ${NAVIGATIONS} navigations to \`/watch/demo\`, each ` +
        "with an empty cache, from the navigation's start to its first frame.",
      table: {
        columns: ["", "frames", "p50", "p95", "max", "stalls"],
        rows: [
          ["RTMP → LL-HLS", ...figures(rtmp.latencies), rtmp.stalls],
          ["SRT (120 ms latency) → LL-HLS", ...figures(srt.latencies), srt.stalls],
          ["start-up", ...figures(start), "–"],
        ],
      },
      verdicts: [
        verdict("glass to glass p95, the worse of both", p95, P95_BUDGET),
        verdict("glass to glass at its worst", Math.max(...both), MAX_BUDGET),
        verdict("navigation to first frame p95", startP95, START_BUDGET),
      ],
      notes: [
        "In the figure: encoding, contribution, packaging, the hold-back of three parts that the playlist asks for " +
          "(1.0 s), decoding and drawing in software. Not in it: a camera, a network, a screen.",
        "Transcoding is off: the source rendition is watched.",
      ],
    };
  } finally {
    await browser.close();
  }
}

async function watch(browser: Browser, protocol: "rtmp" | "srt") {
  await using backend = await BackendProcess.start();
  const server =
    protocol === "rtmp"
      ? `rtmp://127.0.0.1:${backend.ports.rtmp}/live`
      : `srt://127.0.0.1:${backend.ports.srt}?latency=120000`;
  await using _demo = new Child(process.execPath, [DEMO, "--url", server, "--key", backend.key]);
  await backend.live();
  const url = `${backend.http}/watch/demo`;
  const latencies: number[] = [];
  let stalls = 0;
  {
    await using watched = await WatchedPage.open(browser, { url });
    await watched.stage("playing");
    for (let waited = 0; waited < WATCHED_MS; waited += 10_000) {
      await after(10_000);
      const { frames, unreadable } = await takeShownFrames(watched.page);
      if (unreadable > 0) throw new Error(`${unreadable} frames without a readable clock`);
      for (const { shownAt, madeAt } of frames) latencies.push((shownAt - madeAt) / 1000);
    }
    stalls = (await watched.now()).stalls.length;
    if (watched.complaints.length > 0) throw new Error(watched.complaints.join("\n"));
  }
  const startUps: number[] = [];
  while (protocol === "rtmp" && startUps.length < NAVIGATIONS) startUps.push(await startUp(browser, url));
  return { latencies, stalls, startUps };
}

/** Seconds from a navigation's start to its first frame. */
async function startUp(browser: Browser, url: string): Promise<number> {
  await using watched = await WatchedPage.open(browser, { url });
  const { shownAt } = await firstShownFrame(watched.page);
  const startedAt = await watched.page.evaluate(() => performance.timeOrigin);
  return (shownAt - startedAt) / 1000;
}

function figures(seconds: readonly number[]): (string | number)[] {
  const words = [percentile(seconds, 0.5), percentile(seconds, 0.95), Math.max(...seconds)].map(inWords);
  return [seconds.length, ...words];
}

function inWords(seconds: number): string {
  return `${seconds.toFixed(2)} s`;
}

function verdict(what: string, seconds: number, budget: number) {
  return { what, measured: inWords(seconds), budget: `≤ ${budget} s`, holds: seconds <= budget };
}

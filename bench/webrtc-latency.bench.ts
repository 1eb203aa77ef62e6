import { setTimeout as after } from "node:timers/promises";
import type { Page } from "playwright-core";
import { broadcastArguments } from "../scripts/demo/broadcast-arguments.ts";
import { BackendProcess } from "../test/harness/backend.ts";
import { Child } from "../test/harness/child.ts";
import { openChromium } from "../test/harness/chromium.ts";
import { firstShownFrame, takeShownFrames } from "../test/harness/picture-clock.ts";
import { WatchedPage } from "../test/harness/watched-page.ts";
import { WhepPage } from "../test/harness/whep-page.ts";
import { WhipPage } from "../test/harness/whip-page.ts";
import { percentile } from "./measure/percentile.ts";
import type { Section } from "./section.ts";

type Browser = Awaited<ReturnType<typeof openChromium>>;

const WATCHED_MS = 30_000;
/** What a receiver needs to find its delay is not looked at, ms. */
const SETTLING_MS = 10_000;
const PICTURE = { width: 1280, height: 720, frameRate: 30 };
const BITRATE = 2_500_000;
/** Budgets of the 95th percentile, s. */
const WHIP_TO_WHEP = 0.15;
const WHIP_TO_HLS = 1.8;
const RTMP_TO_WHEP = 0.5;

export const name = "WebRTC latency: glass to glass";

interface Measured {
  /** s, of each frame. */
  readonly latencies: readonly number[];
  /** From the answer to the first frame, s; undefined where that is not what is measured. */
  readonly firstFrame: number | undefined;
}

/** The clock in the picture against the clock of the machine, for each way in and out. */
export async function run(): Promise<Section> {
  const browser = await openChromium();
  try {
    const whip = await fromBrowser(browser);
    const straight = await fromRtmp(browser, 0);
    const made = await fromRtmp(browser, 2);
    const rows = [
      ["WHIP → WHEP", ...figures(whip.whep)],
      ["WHIP → LL-HLS", ...figures(whip.hls)],
      ["RTMP → WHEP, straight through", ...figures(straight)],
      ["RTMP with two B-frames → WHEP, made without", ...figures(made)],
    ];
    const p95 = ({ latencies }: Measured) => percentile(latencies, 0.95);
    return {
      summary:
        `A picture of ${PICTURE.width}×${PICTURE.height} at ${PICTURE.frameRate} frames a second whose frames carry the time ` +
        `at which they were made, ${WATCHED_MS / 1000} s each after ${SETTLING_MS / 1000} s to settle. By WHIP it is drawn and ` +
        `encoded (H.264) by Chromium ${browser.version()}, by RTMP by FFmpeg; it is watched in another tab of the same ` +
        "Chromium, by plain RTCPeerConnection and with the project's player, on the same machine.",
      table: { columns: ["", "frames", "p50", "p95", "max", "first frame after"], rows },
      verdicts: [
        verdict("WHIP → WHEP p95", p95(whip.whep), WHIP_TO_WHEP),
        verdict("WHIP → LL-HLS p95", p95(whip.hls), WHIP_TO_HLS),
        verdict("RTMP → WHEP p95, the worse of both", Math.max(p95(straight), p95(made)), RTMP_TO_WHEP),
      ],
      notes: [
        "In the figure: encoding, the way through the backend, the receiver's jitter buffer, decoding and drawing in " +
          "software. Not in it: a camera, a network, a screen.",
        "Two B-frames wait for the frame after them: 67 ms at this frame rate are the encoder's own.",
        "A viewer of an RTMP broadcast that goes straight through waits for its next keyframe (every 2 s here).",
      ],
    };
  } finally {
    await browser.close();
  }
}

async function fromBrowser(browser: Browser): Promise<{ whep: Measured; hls: Measured }> {
  await using backend = await BackendProcess.start();
  await using _publisher = await WhipPage.open(browser, {
    endpoint: `${backend.http}/v1/whip`,
    key: backend.key,
    codec: "H264",
    bitrate: BITRATE,
    ...PICTURE,
  });
  await backend.live();
  const whep = await byWhep(browser, backend);
  await using watched = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
  await watched.stage("playing");
  const hls = { latencies: await latenciesOf(watched.page), firstFrame: undefined };
  if ((await watched.now()).mode !== "hls") throw new Error("the player is not in low latency");
  return { whep, hls };
}

async function fromRtmp(browser: Browser, bFrames: number): Promise<Measured> {
  await using backend = await BackendProcess.start();
  const options = { ...PICTURE, protocol: "rtmp" as const, bitrate: BITRATE, durationS: undefined };
  const args = broadcastArguments(options, "libx264", backend.rtmpUrl());
  if (bFrames > 0) {
    const tune = args.indexOf("-tune");
    // As live encoders with B-frames do it: no more delay than these need.
    args.splice(tune, 2, "-bf", `${bFrames}`, "-b_strategy", "0", "-rc-lookahead", "0");
    args.splice(tune, 0, "-x264-params", "sync-lookahead=0:sliced-threads=1");
  }
  await using _encoder = new Child("ffmpeg", args);
  await backend.live();
  return await byWhep(browser, backend);
}

async function byWhep(browser: Browser, backend: BackendProcess): Promise<Measured> {
  await using viewer = await WhepPage.open(browser, `${backend.http}/v1/whep/demo`);
  await firstShownFrame(viewer.page);
  const latencies = await latenciesOf(viewer.page);
  const { firstFrameMs } = await viewer.state();
  return { latencies, firstFrame: firstFrameMs === undefined ? undefined : firstFrameMs / 1000 };
}

/** Seconds. */
async function latenciesOf(page: Page): Promise<number[]> {
  await after(SETTLING_MS);
  await takeShownFrames(page);
  const latencies: number[] = [];
  for (let watched = 0; watched < WATCHED_MS; watched += 5000) {
    await after(5000);
    const { frames, unreadable } = await takeShownFrames(page);
    if (unreadable > 0) throw new Error(`${unreadable} frames without a readable clock`);
    for (const { shownAt, madeAt } of frames) latencies.push((shownAt - madeAt) / 1000);
  }
  return latencies;
}

function figures({ latencies, firstFrame }: Measured): (string | number)[] {
  const words = [percentile(latencies, 0.5), percentile(latencies, 0.95), Math.max(...latencies)].map(inWords);
  return [latencies.length, ...words, firstFrame === undefined ? "–" : inWords(firstFrame)];
}

function inWords(seconds: number): string {
  return `${seconds.toFixed(3)} s`;
}

function verdict(what: string, seconds: number, budget: number) {
  return { what, measured: inWords(seconds), budget: `≤ ${budget} s`, holds: seconds <= budget };
}

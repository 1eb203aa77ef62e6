import { setTimeout as after } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { DEFAULT_AUDIO, type Source } from "../apps/studio/src/document/source.ts";
import type { StudioDocument } from "../apps/studio/src/document/studio-document.ts";
import { BackendProcess } from "../test/harness/backend.ts";
import { openChromium } from "../test/harness/chromium.ts";
import { followPlaylist } from "../test/harness/hls-follower.ts";
import { endStream, goLive, StudioBox } from "../test/harness/studio-box.ts";
import { MEDIA_ARGS } from "../test/harness/studio-media-tab.ts";
import { itemOf, showOf } from "../test/harness/studio-show.ts";
import { residentMiB } from "./measure/cpu.ts";
import { HeapWatch } from "./measure/worker-heap.ts";
import type { Section } from "./section.ts";

/** Twenty; `MINUTES=3` for a trial, whose growth says little. */
const MINUTES = Number(process.env.MINUTES ?? 20);
const SAMPLE_MS = 10_000;
/** The scene changes so often, with a fade, as in a show. */
const SCENE_MS = 30_000;
/** Growth from the second minute on that is still taken for noise of the garbage collectors, MiB of each process. */
const MAX_GROWTH = 40;
const BITRATE = 2_500_000;

export const name = "Studio: memory of a show";

/** What is looked at, in the order of the table's columns; MiB. */
interface Sample {
  readonly page: number;
  readonly pageHeap: number;
  readonly workerHeap: number;
  readonly gpu: number;
  readonly engine: number;
  readonly backend: number;
}

const PARTS = [
  ["page", "page and its worker, resident"],
  ["pageHeap", "page's JavaScript"],
  ["workerHeap", "workers' JavaScript"],
  ["gpu", "GPU process, resident"],
  ["engine", "engine, resident"],
  ["backend", "backend, resident"],
] as const satisfies readonly (readonly [keyof Sample, string])[];

/** The real studio with a show on air by SRT, recorded beside it and kept for replays, into the real backend. */
export async function run(): Promise<Section> {
  if (!(MINUTES >= 3)) throw new Error("MINUTES is at least 3: growth is counted from the second on");
  await using backend = await BackendProcess.start({ env: { KLIEG_WINDOW_S: "60" } });
  const browser = await openChromium({ args: MEDIA_ARGS });
  try {
    await using box = await StudioBox.start({ show: show(backend.http), keys: { klieg: backend.key } });
    const page = await box.open(browser);
    await page.locator('[data-peak="mic"]').waitFor();
    await using heaps = await HeapWatch.open(page);
    await goLive(page, "A show of twenty minutes");
    await page.getByRole("button", { name: "Record", exact: true }).click();
    const { id } = await backend.live();
    const stop = new AbortController();
    const viewers = ["source", "audio"].map((rendition) =>
      followPlaylist(`${backend.http}/v1/streams/${id}/${rendition}/index.m3u8`, () => false, stop.signal).catch(
        () => [],
      ),
    );
    const samples: Sample[][] = [];
    let changed = performance.now();
    let scene = 1;
    const started = performance.now();
    for (let minute = 0; minute < MINUTES; minute += 1) {
      const within: Sample[] = [];
      while (performance.now() - started < (minute + 1) * 60_000) {
        await after(SAMPLE_MS);
        within.push({ ...(await processes(browser)), ...(await measured(box, backend)), ...(await named(heaps)) });
        if (performance.now() - changed < SCENE_MS) continue;
        changed = performance.now();
        scene = 3 - scene;
        await page.keyboard.press(`F${scene}`);
      }
      samples.push(within);
    }
    // Still the same show: a stream that was lost meanwhile would have less to hold.
    const { live_stream_id: still } = await backend.channel();
    const health = await backend.health(id);
    stop.abort();
    await Promise.all(viewers);
    await endStream(page);
    const least = samples.map((within) => leastOf(within));
    const [second, last] = [least[1], least.at(-1)];
    if (second === undefined || last === undefined) throw new Error("nothing was measured");
    const frameRate = health.ingest?.frame_rate ?? 0;
    return {
      summary:
        `A show of 1280×720 at 30 pictures a second for ${MINUTES} minutes in Chromium ${browser.version()}: a camera and a ` +
        `microphone of the browser's own making, words and a colour in two scenes that change every ${SCENE_MS / 1000} s, ` +
        `live by SRT at ${BITRATE / 1e6} Mb/s, recorded beside it, with a viewer at the live edge. Sampled every ` +
        `${SAMPLE_MS / 1000} s; the least of each minute: what is held, not what waits to be collected.`,
      table: {
        columns: ["minute", ...PARTS.map(([, label]) => `${label}, MiB`)],
        rows: least.map((sample, minute) => [minute + 1, ...PARTS.map(([part]) => sample[part].toFixed(0))]),
      },
      verdicts: [
        ...PARTS.map(([part, label]) => {
          const growth = last[part] - second[part];
          return {
            what: `growth from minute 2 to ${MINUTES}: ${label}`,
            measured: `${growth.toFixed(0)} MiB`,
            budget: `≤ ${MAX_GROWTH} MiB`,
            holds: growth <= MAX_GROWTH,
          };
        }),
        {
          what: "the stream at the end",
          measured: still === id ? "the same that began" : "another one, or none",
          budget: "the same that began",
          holds: still === id,
        },
      ],
      notes: [
        `The server received ${frameRate.toFixed(1)} pictures a second at the end. Where WebGL is drawn by the CPU, fewer than 30 ` +
          "say that the machine is too slow for the show, not that anything is held.",
        "The page's process has the worker of the compositor and that of the sound in it; some 200 MiB beside it are pages of " +
          "Chromium's own. Most of it is memory that it shares with the process of the camera and that of the GPU.",
      ],
    };
  } finally {
    await browser.close();
  }
}

function show(url: string): StudioDocument {
  const sources: Source[] = [
    {
      id: "camera",
      name: "Camera",
      kind: "camera",
      device: { id: "", label: "" },
      width: 1280,
      height: 720,
      frame_rate: 30,
      filters: [],
    },
    {
      id: "mic",
      name: "Mic",
      kind: "microphone",
      device: { id: "", label: "" },
      echo_cancellation: false,
      audio: { ...DEFAULT_AUDIO, filters: [{ id: "quiet", enabled: true, kind: "noise_suppression" }] },
    },
    {
      id: "title",
      name: "Title",
      kind: "text",
      text: "Twenty minutes",
      font: "Inter",
      font_size: 64,
      weight: 600,
      colour: "#ffffff",
      background: null,
      align: "centre",
      filters: [],
    },
    { id: "backdrop", name: "Backdrop", kind: "colour", colour: "#206030", filters: [] },
  ];
  const document = showOf(
    sources,
    [
      [itemOf("camera", {}), itemOf("title", { x: 640, y: 640, width: 640, height: 80 }), itemOf("mic", {})],
      [
        itemOf("backdrop", { fit: "stretch" }),
        itemOf("camera", { x: 900, y: 500, width: 480, height: 270 }),
        itemOf("mic", { x: 641 }),
      ],
    ],
    [0, 0, 0],
  );
  return {
    ...document,
    encoding: { ...document.encoding, video_bitrate: BITRATE },
    destinations: [{ id: "klieg", name: "Klieg", enabled: true, kind: "klieg", url, channel: "demo", protocol: "srt" }],
  };
}

/** Of the browser's processes: all that have pages, of which the studio is the only one, and the GPU's. */
async function processes(browser: Browser): Promise<Pick<Sample, "page" | "gpu">> {
  const session = await browser.newBrowserCDPSession();
  try {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const sum = async (type: string) => {
      const sizes = processInfo.filter((one) => one.type === type).map(({ id }) => residentMiB(id));
      return (await Promise.all(sizes)).reduce((all, size) => all + size, 0);
    };
    return { page: await sum("renderer"), gpu: await sum("GPU") };
  } finally {
    await session.detach();
  }
}

async function measured(box: StudioBox, backend: BackendProcess): Promise<Pick<Sample, "engine" | "backend">> {
  return { engine: await residentMiB(box.pid), backend: await residentMiB(backend.child.pid) };
}

async function named(heaps: HeapWatch): Promise<Pick<Sample, "pageHeap" | "workerHeap">> {
  const { page, workers } = await heaps.take();
  return { pageHeap: page, workerHeap: workers };
}

function leastOf(samples: readonly Sample[]): Sample {
  const least = (part: keyof Sample) => {
    const told = samples.map((sample) => sample[part]).filter((value) => !Number.isNaN(value));
    return told.length === 0 ? Number.NaN : Math.min(...told);
  };
  return {
    page: least("page"),
    pageHeap: least("pageHeap"),
    workerHeap: least("workerHeap"),
    gpu: least("gpu"),
    engine: least("engine"),
    backend: least("backend"),
  };
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { Destination } from "../apps/studio/src/document/destination.ts";
import { DEFAULT_AUDIO } from "../apps/studio/src/document/source.ts";
import type { StudioDocument } from "../apps/studio/src/document/studio-document.ts";
import { BackendProcess } from "../test/harness/backend.ts";
import { run as runProgram } from "../test/harness/child.ts";
import { openChromium } from "../test/harness/chromium.ts";
import { NarrowLink } from "../test/harness/narrow-link.ts";
import { RELAYED_ADDRESS, RtcRelay } from "../test/harness/rtc-relay.ts";
import { endStream, goLive, StudioBox } from "../test/harness/studio-box.ts";
import { MEDIA_ARGS } from "../test/harness/studio-media-tab.ts";
import { CAMERA_SOURCE, itemOf, showOf } from "../test/harness/studio-show.ts";
import type { Section, Verdict } from "./section.ts";

const BITRATE = 2_000_000;
/** What goes over the wire at that, sound and headers included; and half of it. */
const FULL = 2_250_000;
const NARROW = FULL / 2;
const NARROW_MS = 60_000;
const STEP_MS = 250;
const QUEUE_MS = 300;
const SIZE = { width: 640, height: 360 } as const;
/** Of the narrow network, and of the pictures. */
const LEAST = { use: 0.7, pictures: 0.95 } as const;
/** One of both ways alone; both where not given. */
const ONLY = process.env.WAY;

export const name = "Studio: a network that gets narrow";

/** A bottleneck between the studio and the backend. */
interface Bottleneck extends AsyncDisposable {
  readonly destination: Destination;
  readonly key: string;
  narrow(): void;
  release(): void;
  /** Bytes so far. */
  readonly bytes: { readonly offered: number; readonly carried: number };
}

/** The real studio with a picture that needs its bitrate, on air into the real backend over a link that gets half as wide. */
export async function run(): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), "klieg-narrow-"));
  try {
    const camera = join(folder, "camera.y4m");
    // Needs the whole bitrate, and can do with a quarter of it: pure noise could not.
    const picture = `testsrc2=s=${SIZE.width}x${SIZE.height}:r=30:d=4,noise=alls=8:allf=t,format=yuv420p`;
    await runProgram("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", picture, camera]);
    const ways = ["SRT", "WebRTC"].filter((way) => ONLY === undefined || way.toLowerCase() === ONLY.toLowerCase());
    const verdicts: Verdict[] = [];
    const rows: (string | number)[][] = [];
    for (const way of ways) {
      const measured = await throttled(way, camera);
      verdicts.push(...measured.verdicts);
      rows.push(...measured.rows);
    }
    return {
      summary:
        `The studio as a capture box with its page in Chromium, ${SIZE.width}×${SIZE.height} at 30 pictures a second with a little noise and ` +
        `${BITRATE / 1e6} Mb/s, into the backend over a bottleneck with a queue of ${QUEUE_MS} ms: half as wide for ` +
        `${NARROW_MS / 1000} s, and released.`,
      table: { columns: ["", "sent, Mb/s", "carried, Mb/s", "pictures/s at the server"], rows },
      verdicts,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function throttled(way: string, camera: string): Promise<{ verdicts: Verdict[]; rows: (string | number)[][] }> {
  await using backend = await BackendProcess.start({
    env: { KLIEG_HOST: "127.0.0.1", KLIEG_ANNOUNCED_ADDRESS: RELAYED_ADDRESS, KLIEG_RTC_WORKERS: "1" },
  });
  await using link = way === "SRT" ? await bySrt(backend) : await byWebRtc(backend);
  const browser = await openChromium({ args: [...MEDIA_ARGS, `--use-file-for-fake-video-capture=${camera}`] });
  try {
    await using box = await StudioBox.start({
      show: show(link.destination),
      keys: { [link.destination.id]: link.key },
    });
    const page = await box.open(browser);
    await page.locator('[data-peak="mic"]').waitFor();
    await goLive(page, "A narrow network");
    const { id } = await backend.live();
    const ingest = async () => {
      const { ingest, state } = await backend.health(id);
      const { video_frames: frames = 0, discontinuities = 0, srt } = ingest ?? {};
      return { frames, discontinuities, state, dropped: srt?.packetsReceiveDropped ?? 0 };
    };
    const looks: Look[] = [];
    const look = async (phase: Look["phase"], ms: number, enough?: () => boolean) => {
      const until = performance.now() + ms;
      while (performance.now() < until && enough?.() !== true) {
        await after(STEP_MS);
        looks.push({ phase, at: performance.now(), ...link.bytes, frames: (await ingest()).frames });
      }
    };
    const rate = () => rateOver(looks, looks.length - 1 - 1000 / STEP_MS, looks.length - 1);
    await look("wide", 30_000, () => looks.length > 20 && rate().sent > FULL * 0.85);
    const before = looks.length;
    const wide = rateOver(looks, Math.max(0, before - 12), before - 1);
    const atNarrow = await ingest();
    link.narrow();
    const alert = page.getByText(/can't keep/).first();
    const told = alert.waitFor({ timeout: NARROW_MS }).then(
      () => true,
      () => false,
    );
    await look("narrow", NARROW_MS);
    const released = looks.length;
    const atRelease = await ingest();
    link.release();
    const releasedAt = performance.now();
    await look("released", 30_000, () => rate().sent > wide.sent * 0.9);
    const recoveredMs = performance.now() - releasedAt;
    const after30 = rate();
    const end = await ingest();
    await endStream(page);
    await page.context().close();

    const narrowed = looks.slice(before, released);
    const start = looks[before - 1]?.at ?? 0;
    const fits = narrowed.findIndex((_, i) => i >= 4 && rateOver(narrowed, i - 4, i).sent <= NARROW * 1.03);
    const fellMs = fits === -1 ? Number.POSITIVE_INFINITY : (narrowed[fits]?.at ?? 0) - start;
    const held = rateOver(looks, before + 20, released - 1);
    const pictures = atRelease.frames - atNarrow.frames;
    const use = held.carried / NARROW;
    const verdict = (what: string, measured: string, budget: string, holds: boolean): Verdict => ({
      what: `${way}: ${what}`,
      measured,
      budget,
      holds,
    });
    return {
      rows: (
        [
          ["wide", wide],
          [`narrow, from 5 s on`, held],
          ["released", after30],
        ] as const
      ).map(([phase, { sent, carried, frameRate }]) => [
        `${way}, ${phase}`,
        (sent / 1e6).toFixed(2),
        (carried / 1e6).toFixed(2),
        frameRate.toFixed(1),
      ]),
      verdicts: [
        verdict("sends no more than fits after", `${(fellMs / 1000).toFixed(1)} s`, "≤ 5 s", fellMs <= 5000),
        verdict(
          "uses of the narrow network",
          `${(use * 100).toFixed(0)} %`,
          `≥ ${LEAST.use * 100} %`,
          use >= LEAST.use,
        ),
        verdict(
          "pictures of the narrow minute at the server",
          `${pictures} of ${(NARROW_MS / 1000) * 30}`,
          `≥ ${LEAST.pictures * 100} %`,
          pictures >= (NARROW_MS / 1000) * 30 * LEAST.pictures,
        ),
        ...(way === "SRT"
          ? [
              verdict(
                "packets lost for good",
                `${end.dropped - atNarrow.dropped}`,
                "≤ 100",
                end.dropped - atNarrow.dropped <= 100,
              ),
            ]
          : []),
        verdict(
          "sends as before, after the release",
          `${(recoveredMs / 1000).toFixed(1)} s`,
          "≤ 30 s",
          after30.sent > wide.sent * 0.9,
        ),
        verdict("says so in words", (await told) ? "yes" : "no", "yes", await told),
        verdict("the same stream, live all the while", end.state, "live", end.state === "live"),
      ],
    };
  } finally {
    await browser.close();
  }
}

interface Look {
  readonly phase: "wide" | "narrow" | "released";
  /** ms. */
  readonly at: number;
  /** Bytes and pictures so far. */
  readonly offered: number;
  readonly carried: number;
  readonly frames: number;
}

/** bits/s and pictures/s between two looks. */
function rateOver(looks: readonly Look[], from: number, to: number) {
  const [one, other] = [looks[Math.max(0, from)], looks[to]];
  const seconds = ((other?.at ?? 0) - (one?.at ?? 0)) / 1000;
  const of = (figure: "offered" | "carried" | "frames") =>
    seconds <= 0 ? 0 : ((other?.[figure] ?? 0) - (one?.[figure] ?? 0)) / seconds;
  return { sent: of("offered") * 8, carried: of("carried") * 8, frameRate: of("frames") };
}

async function bySrt(backend: BackendProcess): Promise<Bottleneck> {
  const link = await NarrowLink.open({
    targetPort: backend.ports.srt,
    bitrate: FULL * 4,
    queueBytes: (NARROW * QUEUE_MS) / 8000,
  });
  return {
    destination: { id: "home", name: "Home", enabled: true, kind: "srt", url: `srt://127.0.0.1:${link.port}` },
    key: backend.key,
    narrow: () => {
      link.bitrate = NARROW;
    },
    release: () => {
      link.bitrate = FULL * 4;
    },
    get bytes() {
      return { offered: link.offered, carried: link.carried };
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}

async function byWebRtc(backend: BackendProcess): Promise<Bottleneck> {
  const relay = await RtcRelay.open({ port: backend.ports.rtc ?? 0, seed: 3 });
  return {
    destination: {
      id: "home",
      name: "Home",
      enabled: true,
      kind: "klieg",
      url: backend.http,
      channel: "demo",
      protocol: "whip",
    },
    key: backend.key,
    narrow: () => relay.set({ bitrate: NARROW, queueMs: QUEUE_MS }, {}),
    release: () => relay.set({}),
    get bytes() {
      const { offered, carried } = relay.toBackend;
      return { offered, carried };
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

function show(destination: Destination): StudioDocument {
  const full = { x: SIZE.width / 2, y: SIZE.height / 2, ...SIZE };
  const made = showOf(
    [
      CAMERA_SOURCE,
      {
        id: "mic",
        name: "Mic",
        kind: "microphone",
        device: { id: "", label: "" },
        echo_cancellation: false,
        audio: { ...DEFAULT_AUDIO },
      },
    ],
    [[itemOf("camera", full), { ...itemOf("mic", full), id: "mic-item" }]],
    [0, 0, 0],
  );
  return {
    ...made,
    canvas: { ...made.canvas, ...SIZE },
    encoding: { ...made.encoding, encoder: "auto", video_bitrate: BITRATE, keyframe_interval: 2, adaptive: true },
    destinations: [destination],
  };
}

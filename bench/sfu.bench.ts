import { readFile, readlink } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { AccessUnit } from "@klieg/media";
import { BackendProcess } from "../test/harness/backend.ts";
import { Child } from "../test/harness/child.ts";
import { ffmpegSource, unitsOf } from "../test/harness/ffmpeg-units.ts";
import { resourcesOf } from "../test/harness/process-resources.ts";
import { until } from "../test/harness/until.ts";
import { cpuSeconds } from "./measure/cpu.ts";
import { Audience } from "./measure/sfu/audience.ts";
import { LoadPublisher } from "./measure/sfu/load-publisher.ts";
import { LATENESS_CLASSES, type Received } from "./measure/sfu/load-viewer.ts";
import type { Section } from "./section.ts";

const STEPS = [1, 100, 200, 300];
const BUDGET = 0.95;
/** bits/s. */
const BITRATE = 1_000_000;
const CLIP_SECONDS = 10;
const SETTLING_MS = 400;
/** A whole number of groups of pictures, which alone are alike. */
const WINDOW_MS = 2000;
/** The last step decides: it is measured so many times as often as the others. */
const LAST_TWICE = 2;
/** From here on the process that plays the viewers is what holds things up. */
const BUSY = 0.9;
/** More than this cannot be the worker's doing as long as it has CPU left. */
const MAX_LOSS = 0.005;

export const name = "WebRTC fan-out: viewers per core";

/** One of both SFUs. */
interface Side {
  readonly worker: number;
  readonly publisher: LoadPublisher;
  readonly watchUrl: string;
}

interface Window {
  readonly seconds: number;
  /** CPU time, s. */
  readonly worker: number;
  readonly audience: number;
  readonly received: Received;
}

/** The worker has the first core, everything else the others. */
export async function run(): Promise<Section> {
  const cores = cpus().length;
  if (cores < 2) throw new Error("this needs two cores: one for the worker, one for its viewers");
  const others = cores === 2 ? "1" : `1-${cores - 1}`;
  await pin(process.pid, others);
  const units = await clip();
  await using backend = await BackendProcess.start({ env: { KLIEG_RTC_WORKERS: "1", KLIEG_LADDER: "off" } });
  await pin(backend.child.pid, others);
  await using ours = await LoadPublisher.open(`${backend.http}/v1/whip`, backend.key, units);
  const worker = await workerOf(backend);
  await pin(worker, "0");
  const program = await readlink(`/proc/${worker}/exe`);
  await using bareSfu = new Child("taskset", [
    ...["-c", others, process.execPath, join(import.meta.dirname, "measure/sfu/bare-sfu.ts"), program],
  ]);
  const [, port, bareWorker] = await bareSfu.line(/^port (\d+) worker (\d+)/);
  await pin(Number(bareWorker), "0");
  const bareUrl = `http://127.0.0.1:${port}`;
  await using theirs = await LoadPublisher.open(`${bareUrl}/publish`, undefined, units);
  const klieg: Side = { worker, publisher: ours, watchUrl: `${backend.http}/v1/whep/demo` };
  const bare: Side = { worker: Number(bareWorker), publisher: theirs, watchUrl: `${bareUrl}/watch` };
  ours.isOn = true;
  await backend.live();
  ours.isOn = false;

  await using audience = new Audience(others);
  const steps: { viewers: number; klieg: Window; bare: Window }[] = [];
  for (const viewers of STEPS) {
    for (const side of [klieg, bare]) await audience.growTo(side.watchUrl, viewers);
    // One side at a time has its core to itself; there and back, so that what drifts meets both alike.
    const windows = { klieg: [] as Window[], bare: [] as Window[] };
    for (let round = 0; round < (viewers === STEPS.at(-1) ? LAST_TWICE : 1); round += 1) {
      for (const side of ["klieg", "bare", "bare", "klieg"] as const) {
        windows[side].push(await measure(side === "klieg" ? klieg : bare, audience));
      }
    }
    steps.push({ viewers, klieg: total(windows.klieg), bare: total(windows.bare) });
  }
  return report(steps);
}

async function measure(side: Side, audience: Audience): Promise<Window> {
  side.publisher.isOn = true;
  await after(SETTLING_MS);
  await audience.read(side.watchUrl);
  const before = { worker: await cpuSeconds(side.worker), audience: await cpuSeconds(audience.pid) };
  const began = performance.now();
  await after(WINDOW_MS);
  const seconds = (performance.now() - began) / 1000;
  const worker = (await cpuSeconds(side.worker)) - before.worker;
  const share = (await cpuSeconds(audience.pid)) - before.audience;
  const received = await audience.read(side.watchUrl);
  side.publisher.isOn = false;
  return { seconds, worker, audience: share, received };
}

function total(windows: readonly Window[]): Window {
  const sum = (of: (window: Window) => number) => windows.reduce((all, window) => all + of(window), 0);
  return {
    seconds: sum(({ seconds }) => seconds),
    worker: sum(({ worker }) => worker),
    audience: sum(({ audience }) => audience),
    received: {
      packets: sum(({ received }) => received.packets),
      bytes: sum(({ received }) => received.bytes),
      missing: sum(({ received }) => received.missing),
      lateness: Array.from({ length: LATENESS_CLASSES }, (_, at) => sum(({ received }) => received.lateness[at] ?? 0)),
    },
  };
}

function sent({ received: { packets, missing } }: Window): number {
  return packets + Math.max(0, missing);
}

/** Share of a core that the worker uses for `viewers` at exactly 1 Mb/s each, by what a packet cost it. */
function share(window: Window, viewers: number): number {
  const bytesEach = window.received.bytes / window.received.packets;
  return (window.worker / sent(window)) * ((BITRATE / 8 / bytesEach) * viewers);
}

function report(steps: readonly { viewers: number; klieg: Window; bare: Window }[]): Section {
  const [alone, last] = [steps[0], steps.at(-1)];
  if (alone === undefined || last === undefined) throw new Error("nothing was measured");
  const limit = (side: "klieg" | "bare") => {
    const [low, high] = [share(alone[side], alone.viewers), share(last[side], last.viewers)];
    return Math.floor(alone.viewers + ((1 - low) * (last.viewers - alone.viewers)) / (high - low));
  };
  const [ours, theirs] = [limit("klieg"), limit("bare")];
  const ratio = ours / theirs;
  const percent = (part: number, digits = 1) => `${(part * 100).toFixed(digits)} %`;
  const busiest = (step: { klieg: Window; bare: Window }) =>
    Math.max(step.klieg.audience / step.klieg.seconds, step.bare.audience / step.bare.seconds);
  const busy = steps.filter((step) => busiest(step) >= BUSY).map(({ viewers }) => viewers);
  const losses = Math.max(lost(last.klieg), lost(last.bare));
  return {
    summary:
      "One publication by WHIP of H.264 at 1 Mb/s; viewers by WHEP on one worker that has a core to itself, beside " +
      "mediasoup alone (a script with one worker, one router and the transports) with the same program, publication and " +
      "viewers. Viewers are in a process on another core: ICE, consent, DTLS and transport-wide feedback ten times a " +
      "second are werift's, RTP is counted and dropped before it is decrypted. CPU is the worker process's alone, by what " +
      `a packet cost it, in ${WINDOW_MS / 1000} s of the one and the other in turn.`,
    table: {
      columns: ["viewers", "Klieg", "bare", "Klieg, each", "bare, each", "lost", "late (99 %)", "viewers' process"],
      rows: steps.map((step) => {
        const { viewers, klieg, bare } = step;
        const shares = [share(klieg, viewers), share(bare, viewers)] as const;
        return [
          viewers,
          ...[percent(shares[0]), percent(shares[1])],
          ...[percent(shares[0] / viewers, 3), percent(shares[1] / viewers, 3)],
          `${percent(lost(klieg), 2)} / ${percent(lost(bare), 2)}`,
          `${late(klieg)} / ${late(bare)}`,
          percent(busiest(step), 0),
        ];
      }),
    },
    verdicts: [
      {
        what: "viewers per core against bare mediasoup",
        measured: `${ours} to ${theirs}: ${ratio.toFixed(3)} ×`,
        budget: `≥ ${BUDGET} ×`,
        holds: ratio >= BUDGET,
      },
      {
        what: `packets lost with ${last.viewers} viewers, the worse of both`,
        measured: percent(losses, 2),
        budget: `≤ ${percent(MAX_LOSS, 1)}`,
        holds: losses <= MAX_LOSS,
      },
    ],
    notes: [
      `Viewers per core are where the line from ${alone.viewers} to ${last.viewers} viewers reaches a whole core: an extrapolation, not a run at that number.`,
      "Klieg's worker also hands each packet of the publication to the backend for LL-HLS, and pipes it once to the router with the payload types of these viewers: that is what Klieg costs more with one viewer.",
      busy.length === 0
        ? `The viewers' process never used ${percent(BUSY, 0)} of its core: it did not set the limit.`
        : `With ${busy.join(" and ")} viewers their own process had no core left: what is late or lost there is late or lost in it.`,
      "Where packets are lost while the worker has CPU left, something else took the viewers' core: the figures say nothing then.",
    ],
  };
}

function lost(window: Window): number {
  return Math.max(0, window.received.missing) / sent(window);
}

/** What all but one in a hundred packets were late by at most. */
function late({ received: { lateness, packets } }: Window): string {
  let sum = 0;
  for (const [at, count] of lateness.entries()) {
    sum += count;
    if (sum >= packets * 0.99) return at === LATENESS_CLASSES - 1 ? "> 1 s" : `< ${2 ** at} ms`;
  }
  return "–";
}

/** 640×360 of H.264 as evenly as it goes: what is sent each second is what is said. */
async function clip(): Promise<AccessUnit[]> {
  const rate = ["-b:v", "-minrate", "-maxrate"].flatMap((option) => [option, String(BITRATE)]);
  const bytes = await ffmpegSource("flv", [
    ...["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30,noise=alls=12:allf=t", "-t", String(CLIP_SECONDS)],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", "30"],
    ...["-sc_threshold", "0", "-bf", "0", ...rate],
    ...["-bufsize", "250k", "-x264-params", "nal-hrd=cbr"],
  ]);
  return unitsOf("flv", bytes).filter(({ track }) => track.kind === "video");
}

/** The backend's media worker. */
async function workerOf(backend: BackendProcess): Promise<number> {
  return until(
    async () => {
      const { children } = await resourcesOf(backend.child.pid, backend.ports.http);
      for (const pid of children) {
        if ((await readFile(`/proc/${pid}/comm`, "utf8")).startsWith("mediasoup-worke")) return pid;
      }
      return undefined;
    },
    { what: "a media worker", timeoutMs: 5000 },
  );
}

/** Binds a process with all of its threads to cores. */
async function pin(pid: number, cores: string): Promise<void> {
  await using taskset = new Child("taskset", ["-a", "-cp", cores, String(pid)]);
  const { code } = await taskset.exited;
  if (code !== 0) throw new Error(taskset.output);
}

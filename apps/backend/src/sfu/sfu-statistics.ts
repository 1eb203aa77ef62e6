import { setTimeout as after } from "node:timers/promises";
import type { SfuPeer } from "./sfu-peer.ts";
import type { SfuStage } from "./sfu-stage.ts";
import type { SfuWorker } from "./sfu-worker.ts";

/** What the SFU does at this moment. */
export interface SfuStatistics {
  readonly workers: readonly SfuWorkerStatistics[];
  readonly stages: number;
  /** WebRTC connections, those that have not been established yet among them. */
  readonly peers: number;
  readonly producers: number;
  /** RTP streams that are sent to peers. */
  readonly consumers: number;
  /** Producers that are brought from one router to another. */
  readonly pipes: number;
  /** Over all peers, with everything that WebRTC adds, bits/s. */
  readonly sentBitrate: number;
  readonly receivedBitrate: number;
}

export interface SfuWorkerStatistics {
  readonly index: number;
  readonly isRunning: boolean;
  readonly deaths: number;
  readonly failedStarts: number;
  readonly load: number;
  /** User and system time of the process, s; undefined while it does not run or does not answer. */
  readonly cpuSeconds: number | undefined;
}

/** So many peers are asked for their bit rates; where there are more, every n-th stands for the others. */
const MAX_ASKED = 200;
/** Who has not answered by then is left out, ms: whoever reads metrics does not wait for a worker that hangs. */
const ANSWER_LIMIT_MS = 1000;

export async function readSfuStatistics(
  workers: readonly SfuWorker[],
  stages: ReadonlySet<SfuStage>,
): Promise<SfuStatistics> {
  const peers = [...stages].flatMap((stage) => [...stage.peers]);
  const limit = new AbortController();
  const over = after(ANSWER_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined);
  try {
    const [rates, times] = await Promise.all([
      bitratesOf(peers, over),
      Promise.all(workers.map((worker) => Promise.race([worker.resourceUsage(), over]))),
    ]);
    return {
      workers: workers.map(({ index, isRunning, deaths, failures, load }, at) => {
        const usage = times[at];
        const cpuSeconds = usage === undefined ? undefined : (usage.ru_utime + usage.ru_stime) / 1000;
        return { index, isRunning, deaths, failedStarts: failures - deaths, load, cpuSeconds };
      }),
      stages: stages.size,
      peers: peers.length,
      producers: sum(stages, ({ producers }) => producers.size),
      consumers: sum(peers, ({ consumers }) => consumers),
      pipes: sum(stages, ({ pipes }) => pipes),
      ...rates,
    };
  } finally {
    limit.abort();
  }
}

async function bitratesOf(
  peers: readonly SfuPeer[],
  over: Promise<undefined>,
): Promise<{ readonly sentBitrate: number; readonly receivedBitrate: number }> {
  const step = Math.ceil(peers.length / MAX_ASKED) || 1;
  const asked = peers.filter((_, index) => index % step === 0);
  const answers = await Promise.all(
    asked.map(({ transport }) =>
      // It may close before it answers.
      Promise.race([transport.getStats().catch(() => undefined), over]),
    ),
  );
  const stats = answers.flatMap((answer) => answer?.[0] ?? []);
  const share = stats.length === 0 ? 0 : peers.length / stats.length;
  return {
    sentBitrate: share * sum(stats, ({ sendBitrate }) => sendBitrate),
    receivedBitrate: share * sum(stats, ({ recvBitrate }) => recvBitrate),
  };
}

function sum<T>(all: Iterable<T>, of: (each: T) => number): number {
  let total = 0;
  for (const each of all) total += of(each);
  return total;
}

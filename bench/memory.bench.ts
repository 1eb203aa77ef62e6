import { setTimeout as after } from "node:timers/promises";
import { BackendProcess } from "../test/harness/backend.ts";
import { Child } from "../test/harness/child.ts";
import { followPlaylist } from "../test/harness/hls-follower.ts";
import { contributionFile } from "./measure/contribution-file.ts";
import { cpuShare, residentMiB } from "./measure/cpu.ts";
import type { Section } from "./section.ts";

const MINUTES = 10;
/** Growth from the second minute on that is still taken for noise of the garbage collector, MiB. */
const MAX_GROWTH = 40;
const MAX_AT_REST = 150;

export const name = "Memory";

export async function run(): Promise<Section> {
  await using file = await contributionFile({ size: "1280x720", bitrate: "3M", seconds: 20, format: "flv" });
  await using backend = await BackendProcess.start({ env: { KLIEG_WINDOW_S: "60" } });
  const { pid } = backend.child;
  await after(5000);
  const restCpu = await cpuShare(pid, 20);
  const rest = await residentMiB(pid);
  await using _encoder = new Child("ffmpeg", [
    ...["-v", "error", "-re", "-stream_loop", "-1", "-i", file.path, "-c", "copy", "-f", "flv", backend.rtmpUrl()],
  ]);
  const { id } = await backend.live();
  const stop = new AbortController();
  const viewers = ["source", "audio"].flatMap((rendition) =>
    Array.from({ length: 5 }, () =>
      followPlaylist(`${backend.http}/v1/streams/${id}/${rendition}/index.m3u8`, () => false, stop.signal).catch(
        () => [],
      ),
    ),
  );
  const samples: number[] = [];
  for (let minute = 0; minute < MINUTES; minute += 1) {
    // The least of a minute: what is held, not what waits to be collected.
    let least = Number.POSITIVE_INFINITY;
    for (let tick = 0; tick < 12; tick += 1) {
      await after(5000);
      least = Math.min(least, await residentMiB(pid));
    }
    samples.push(least);
  }
  stop.abort();
  await Promise.all(viewers);
  const growth = (samples.at(-1) ?? 0) - (samples[1] ?? 0);
  return {
    summary: `At rest, then one 720p30 stream at 3 Mb/s with ten viewers at the live edge for ${MINUTES} minutes and a window of one.`,
    table: {
      columns: ["", "MiB resident"],
      rows: [
        ["at rest", rest.toFixed(0)],
        ...samples.map((sample, minute) => [`minute ${minute + 1}, least`, sample.toFixed(0)]),
      ],
    },
    verdicts: [
      {
        what: "at rest",
        measured: `${rest.toFixed(0)} MiB`,
        budget: `≤ ${MAX_AT_REST} MiB`,
        holds: rest <= MAX_AT_REST,
      },
      {
        what: "CPU at rest",
        measured: `${(restCpu * 100).toFixed(2)} % of a core`,
        budget: "≤ 0.5 %",
        holds: restCpu <= 0.005,
      },
      {
        what: "growth from minute 2 to 10",
        measured: `${growth.toFixed(0)} MiB`,
        budget: `≤ ${MAX_GROWTH} MiB`,
        holds: growth <= MAX_GROWTH,
      },
    ],
  };
}

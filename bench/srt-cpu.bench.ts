import { join } from "node:path";
import { Child } from "../test/harness/child.ts";
import { contributionFile } from "./measure/contribution-file.ts";
import { cpuShare } from "./measure/cpu.ts";
import type { Section } from "./section.ts";

const SECONDS = 20;
const WARM_UP_SECONDS = 25;
const BUDGET = 2;
const MEGABITS = 8;

export const name = "SRT ingest: CPU per stream";

export async function run(): Promise<Section> {
  await using file = await contributionFile({
    size: "1280x720",
    bitrate: `${MEGABITS}M`,
    seconds: 20,
    format: "mpegts",
  });
  await using ours = new Child(process.execPath, [join(import.meta.dirname, "measure/srt-sink.ts")]);
  const port = Number((await ours.line(/^port (\d+)/))[1]);
  await using peer = new Child("sh", [
    ...["-c", "exec srt-live-transmit -q srt://127.0.0.1:19001?mode=listener file://con > /dev/null"],
  ]);
  const send = (to: number) =>
    new Child("ffmpeg", [
      ...["-v", "error", "-re", "-stream_loop", "-1", "-i", file.path, "-c", "copy", "-f", "mpegts"],
      `srt://127.0.0.1:${to}?pkt_size=1316`,
    ]);
  await using toOurs = send(port);
  await using toPeer = send(19_001);
  // Compilers need a while: a stream lasts for hours.
  await cpuShare(ours.pid, WARM_UP_SECONDS);
  const [klieg, libsrt] = await Promise.all([cpuShare(ours.pid, SECONDS), cpuShare(peer.pid, SECONDS)]);
  if (!toOurs.running || !toPeer.running) throw new Error(`${toOurs.output}\n${toPeer.output}`);
  const ratio = klieg / libsrt;
  return {
    summary: `${MEGABITS} Mb/s of MPEG-TS over loopback from ffmpeg to each, ${SECONDS} s, both throw away what they receive; after ${WARM_UP_SECONDS} s of the same.`,
    table: {
      columns: ["", "share of one core"],
      rows: [
        ["Klieg's listener", `${(klieg * 100).toFixed(2)} %`],
        ["`srt-live-transmit`", `${(libsrt * 100).toFixed(2)} %`],
      ],
    },
    verdicts: [
      {
        what: "CPU against `srt-live-transmit`",
        measured: `${ratio.toFixed(2)} ×`,
        budget: `≤ ${BUDGET} ×`,
        holds: ratio <= BUDGET,
      },
    ],
  };
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackendProcess } from "../test/harness/backend.ts";
import { Child } from "../test/harness/child.ts";
import { until } from "../test/harness/until.ts";
import { contributionFile } from "./measure/contribution-file.ts";
import { cpuShare } from "./measure/cpu.ts";
import type { Section } from "./section.ts";

const SECONDS = 30;
const BUDGET = 1.5;

export const name = "Source rendition: CPU from RTMP to LL-HLS";

/** The same file, in real time, into the backend and into FFmpeg's own RTMP server and HLS muxer at once. */
export async function run(): Promise<Section> {
  await using file = await contributionFile({ size: "1280x720", bitrate: "4M", seconds: 20, format: "flv" });
  const folder = await mkdtemp(join(tmpdir(), "klieg-bench-hls-"));
  try {
    await using backend = await BackendProcess.start();
    await using peer = new Child("ffmpeg", [
      ...["-v", "error", "-f", "flv", "-listen", "1", "-i", "rtmp://127.0.0.1:19350/live/x", "-c", "copy", "-f", "hls"],
      ...["-hls_segment_type", "fmp4", "-hls_time", "2", "-hls_list_size", "10", "-hls_flags", "delete_segments"],
      join(folder, "index.m3u8"),
    ]);
    const send = (url: string) =>
      new Child("ffmpeg", [
        "-v",
        "error",
        "-re",
        "-stream_loop",
        "-1",
        "-i",
        file.path,
        "-c",
        "copy",
        "-f",
        "flv",
        url,
      ]);
    await using _toBackend = send(backend.rtmpUrl());
    await backend.live();
    let toPeer = send("rtmp://127.0.0.1:19350/live/x");
    // FFmpeg's server may not listen yet when its client first tries.
    await until(
      async () => {
        if (toPeer.running) return (await cpuShare(peer.pid, 1)) >= 0 && toPeer.running;
        toPeer = send("rtmp://127.0.0.1:19350/live/x");
        return false;
      },
      { what: "ffmpeg -listen 1", timeoutMs: 20_000 },
    );
    await using _toPeer = toPeer;
    const [klieg, ffmpeg] = await Promise.all([cpuShare(backend.child.pid, SECONDS), cpuShare(peer.pid, SECONDS)]);
    const ratio = klieg / ffmpeg;
    return {
      summary: `720p30 at 4 Mb/s with sound, ${SECONDS} s, the same file sent to both in real time; transcoding is off.`,
      table: {
        columns: ["", "share of one core"],
        rows: [
          ["Klieg (333 ms parts, memory and disk)", `${(klieg * 100).toFixed(2)} %`],
          ["`ffmpeg -c copy -f hls` (2 s segments, disk)", `${(ffmpeg * 100).toFixed(2)} %`],
        ],
      },
      verdicts: [
        {
          what: "CPU against `ffmpeg -c copy -f hls`",
          measured: `${ratio.toFixed(2)} ×`,
          budget: `≤ ${BUDGET} ×`,
          holds: ratio <= BUDGET,
        },
      ],
      notes: ["Klieg publishes six times as often as FFmpeg writes, and runs a garbage collector in the same process."],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

import { Counter, Gauge, type Registry } from "prom-client";
import type { SfuStatistics } from "../sfu/sfu-statistics.ts";

/** All metrics of one scrape are of one reading, ms. */
const SAME_SCRAPE_MS = 500;

/**
 * Prometheus metrics of the SFU (OBS3, RTC4), read from its workers when scraped.
 * @param read never rejects.
 */
export function registerSfuMetrics(registry: Registry, read: () => Promise<SfuStatistics>): void {
  const registers = [registry];
  let reading: { readonly at: number; readonly statistics: Promise<SfuStatistics> } | undefined;
  const statistics = () => {
    const now = performance.now();
    if (reading === undefined || now - reading.at > SAME_SCRAPE_MS) reading = { at: now, statistics: read() };
    return reading.statistics;
  };
  const gauge = (name: string, help: string, value: (statistics: SfuStatistics) => number) => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(value(await statistics()));
      },
    });
  };
  const perWorker = (
    Kind: typeof Gauge | typeof Counter,
    name: string,
    help: string,
    value: (worker: SfuStatistics["workers"][number]) => number | undefined,
  ) => {
    new Kind({
      name,
      help,
      labelNames: ["worker"],
      registers,
      async collect(this: Gauge<"worker"> | Counter<"worker">) {
        const { workers } = await statistics();
        this.reset();
        for (const worker of workers) {
          const found = value(worker);
          if (found !== undefined) this.inc({ worker: worker.index }, found);
        }
      },
    });
  };
  perWorker(Gauge, "klieg_sfu_worker_up", "Whether a media worker runs (1) or has not been needed (0).", (worker) =>
    worker.isRunning ? 1 : 0,
  );
  perWorker(Counter, "klieg_sfu_worker_deaths_total", "Times that a media worker died.", ({ deaths }) => deaths);
  perWorker(
    Counter,
    "klieg_sfu_worker_failed_starts_total",
    "Times that a media worker could not be started.",
    ({ failedStarts }) => failedStarts,
  );
  perWorker(
    Gauge,
    "klieg_sfu_worker_load",
    "RTP streams, peers and pipes that a media worker serves.",
    ({ load }) => load,
  );
  perWorker(
    Counter,
    "klieg_sfu_worker_cpu_seconds_total",
    "CPU time of a media worker's present process.",
    ({ cpuSeconds }) => cpuSeconds,
  );
  gauge("klieg_sfu_stages", "Broadcasts and rooms that have WebRTC media.", ({ stages }) => stages);
  gauge("klieg_sfu_peers", "WebRTC connections.", ({ peers }) => peers);
  gauge("klieg_sfu_producers", "RTP streams taken in, those of feeds among them.", ({ producers }) => producers);
  gauge("klieg_sfu_consumers", "RTP streams sent to peers.", ({ consumers }) => consumers);
  gauge("klieg_sfu_pipes", "RTP streams brought from one router to another.", ({ pipes }) => pipes);
  gauge(
    "klieg_sfu_sent_bitrate_bps",
    "Sent to all peers together, bits/s; extrapolated from 200 where there are more.",
    ({ sentBitrate }) => sentBitrate,
  );
  gauge(
    "klieg_sfu_received_bitrate_bps",
    "Received from all peers together, bits/s; extrapolated from 200 where there are more.",
    ({ receivedBitrate }) => receivedBitrate,
  );
}

import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { addOpusFeed, openTestSfu, WORKER_MAY_BE_MISSING } from "../sfu/testing/test-sfu.ts";
import { registerSfuMetrics } from "./sfu-metrics.ts";

function sample(text: string, series: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no ${series} in\n${text}`);
  return Number(line.slice(series.length + 1));
}

describe.skipIf(WORKER_MAY_BE_MISSING)("RTC4: metrics of the SFU", () => {
  it("tell of workers, peers and streams, of a worker that died, and wait for none that hangs", async () => {
    await using sfu = await openTestSfu({ workers: 2 });
    const scrape = () => {
      const registry = new Registry();
      registerSfuMetrics(registry, () => sfu.statistics());
      return registry.metrics();
    };
    const idle = await scrape();
    expect(sample(idle, 'klieg_sfu_worker_up{worker="0"}')).toBe(0);
    expect(idle).not.toContain("klieg_sfu_worker_cpu_seconds_total{");

    using stage = sfu.openStage("a");
    const feed = await addOpusFeed(stage, 4711);
    const [peer] = await Promise.all(Array.from({ length: 250 }, () => stage.addPeer({})));
    if (peer === undefined) throw new Error("no peer");
    const { rtpCapabilities } = peer.node.router;
    await peer.consume({ producerId: feed.producer.id, rtpCapabilities });
    const busy = await scrape();
    expect(sample(busy, "klieg_sfu_stages")).toBe(1);
    expect(sample(busy, "klieg_sfu_peers")).toBe(250);
    expect(sample(busy, "klieg_sfu_producers")).toBe(1);
    expect(sample(busy, "klieg_sfu_consumers")).toBe(1);
    expect(sample(busy, 'klieg_sfu_worker_up{worker="1"}')).toBe(1);
    expect(sample(busy, 'klieg_sfu_worker_load{worker="0"}')).toBeGreaterThan(100);
    expect(sample(busy, 'klieg_sfu_worker_cpu_seconds_total{worker="0"}')).toBeGreaterThan(0);
    expect(sample(busy, "klieg_sfu_sent_bitrate_bps")).toBe(0);

    const { worker } = peer.node;
    if (worker.pid === undefined) throw new Error("it does not run");
    process.kill(worker.pid, "SIGSTOP");
    const hanging = await scrape();
    expect(sample(hanging, "klieg_sfu_peers")).toBe(250);
    expect(hanging).not.toContain('klieg_sfu_worker_cpu_seconds_total{worker="0"}');

    const died = worker.events.once("died");
    process.kill(worker.pid, "SIGKILL");
    await died;
    const after = await scrape();
    expect(sample(after, 'klieg_sfu_worker_deaths_total{worker="0"}')).toBe(1);
    expect(sample(after, "klieg_sfu_producers")).toBe(0);
    expect(sample(after, "klieg_sfu_peers")).toBeLessThan(250);
  });
});

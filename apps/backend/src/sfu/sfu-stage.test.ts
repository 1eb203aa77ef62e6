import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { payloadLayout } from "./payload-layout.ts";
import type { Sfu } from "./sfu.ts";
import type { SfuStage } from "./sfu-stage.ts";
import type { SfuTapSink } from "./sfu-tap.ts";
import {
  addOpusFeed,
  consumeOn,
  deliver,
  openTestSfu,
  opusPacket,
  payloadOf,
  WORKER_MAY_BE_MISSING,
} from "./testing/test-sfu.ts";

const SSRC = 4711;
const LAYOUT = payloadLayout([
  {
    ...{ kind: "audio", mimeType: "audio/opus", clockRate: 48_000, channels: 2, parameters: {} },
    ...{ payloadType: 109, rtx: undefined },
  },
]);
const IGNORE: SfuTapSink = { onRtp: () => undefined, onSenderReport: () => undefined, onClosed: () => undefined };

/** Peers on both of two workers, first those on the worker that the stage began with. */
async function spread(stage: SfuStage) {
  const peers = await Promise.all(Array.from({ length: 26 }, () => stage.addPeer({})));
  const [first, last] = [peers[0], peers.at(-1)];
  if (first === undefined || last === undefined) throw new Error("no peers");
  expect(last.node.worker).not.toBe(first.node.worker);
  return { peers, here: first.node, there: last.node };
}

/** What each worker holds besides its server. */
async function held(sfu: Sfu) {
  const dumps = await Promise.all(sfu.workers.map((worker) => worker.dump()));
  return dumps.map((dump) => ({
    routers: dump?.routerIds.length ?? 0,
    handlers: (dump?.channelMessageHandlers.channelRequestHandlers.length ?? 0) - (dump?.webRtcServerIds.length ?? 0),
  }));
}

const NOTHING = { routers: 0, handlers: 0 };

function died(sfu: Sfu, index: number): Promise<unknown> {
  const worker = sfu.workers[index];
  if (worker?.pid === undefined) throw new Error("the worker does not run");
  const gone = worker.events.once("died");
  process.kill(worker.pid, "SIGKILL");
  return gone;
}

describe.skipIf(WORKER_MAY_BE_MISSING)("RTC4: a stage of the SFU", () => {
  it("hands what is fed in to whoever taps it", async () => {
    await using sfu = await openTestSfu();
    using stage = sfu.openStage("a");
    const feed = await addOpusFeed(stage, SSRC);
    const received: string[] = [];
    const three = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    await stage.addTap(feed.producer.id, {
      onRtp: (packet) => {
        received.push(payloadOf(packet));
        if (received.length === 3) three.resolve();
      },
      onSenderReport: () => undefined,
      onClosed: closed.resolve,
    });
    for (const [sequence, payload] of ["one", "two", "three"].entries()) feed.send(opusPacket(SSRC, sequence, payload));
    await three.promise;
    expect(received).toEqual(["one", "two", "three"]);
    feed.close();
    await closed.promise;
    expect(stage.producers.size).toBe(0);
    await expect(stage.addTap(feed.producer.id, IGNORE)).rejects.toMatchObject({ code: "gone" });
  });

  it("keeps together while it is small, and fills every worker when it is not", async () => {
    await using sfu = await openTestSfu({ workers: 2 });
    using stage = sfu.openStage("a");
    const feed = await addOpusFeed(stage, SSRC);
    const { peers, here } = await spread(stage);
    expect(peers.slice(0, 25).every(({ node }) => node.worker === here.worker)).toBe(true);
    expect(stage.producers.get(feed.producer.id)?.node.worker).toBe(here.worker);
    const more = await Promise.all(Array.from({ length: 74 }, () => stage.addPeer({})));
    const counts = sfu.workers.map((worker) => [...peers, ...more].filter(({ node }) => node.worker === worker).length);
    expect(Math.abs((counts[0] ?? 0) - (counts[1] ?? 0))).toBeLessThanOrEqual(2);
  });

  it("pipes nothing where there is one worker", async () => {
    await using sfu = await openTestSfu();
    using stage = sfu.openStage("a");
    const feed = await addOpusFeed(stage, SSRC);
    const peers = await Promise.all(Array.from({ length: 30 }, () => stage.addPeer({})));
    for (const { node } of peers) (await stage.bring(feed.producer.id, node))[Symbol.dispose]();
    expect(stage.pipes).toBe(0);
  });

  it("brings a producer to another worker once for all consumers there, and no longer than for the last", async () => {
    await using sfu = await openTestSfu({ workers: 2 });
    using stage = sfu.openStage("a");
    const feed = await addOpusFeed(stage, SSRC);
    const { there } = await spread(stage);
    const before = sfu.workers.map(({ load }) => load);
    const [one, two] = await Promise.all([
      consumeOn(there, stage, feed.producer.id),
      consumeOn(there, stage, feed.producer.id),
    ]);
    expect(stage.pipes).toBe(1);
    expect(await Promise.all([deliver(feed, SSRC, one.consumer), deliver(feed, SSRC, two.consumer)])).toEqual([
      `tone of ${SSRC}`,
      `tone of ${SSRC}`,
    ]);
    one.close();
    expect(stage.pipes).toBe(1);
    two.close();
    expect(stage.pipes).toBe(0);
    expect(sfu.workers.map(({ load }) => load)).toEqual(before);
    const again = await consumeOn(there, stage, feed.producer.id);
    expect(await deliver(feed, SSRC, again.consumer)).toBe(`tone of ${SSRC}`);
    const closed = new Promise<void>((resolve) => again.consumer.observer.once("close", resolve));
    feed.close();
    await closed;
    expect(stage.pipes).toBe(0);
  });

  it("tells in order what a dead worker took along, and works again at once", async () => {
    await using sfu = await openTestSfu({ workers: 2 });
    using stage = sfu.openStage("a");
    const feed = await addOpusFeed(stage, SSRC);
    const { peers, here, there } = await spread(stage);
    const piped = await consumeOn(there, stage, feed.producer.id);
    await deliver(feed, SSRC, piped.consumer);
    const told: string[] = [];
    for (const [index, peer] of peers.entries()) {
      peer.events.on("state", ({ state, end }) => told.push(`peer ${index < 25 ? "here" : "there"} ${state} ${end}`));
    }
    stage.events.on("producerClosed", ({ id }) => told.push(id === feed.producer.id ? "producer closed" : "?"));
    stage.events.on("workerLost", ({ worker }) => told.push(`worker ${worker} lost`));
    const cutOff = new Promise<void>((resolve) => piped.consumer.observer.once("close", resolve));
    await died(sfu, here.worker.index);
    expect(told.slice(0, -1).sort()).toEqual([
      ...Array.from({ length: 25 }, () => "peer here closed worker"),
      "producer closed",
    ]);
    expect(told.at(-1)).toBe(`worker ${here.worker.index} lost`);
    expect(feed.closed).toBe(true);
    await cutOff;
    expect([stage.peers.size, stage.producers.size, stage.pipes]).toEqual([1, 0, 0]);
    expect(here.worker.deaths).toBe(1);
    feed.send(opusPacket(SSRC, 1, "to nobody"));

    const [second, comer] = await Promise.all([addOpusFeed(stage, SSRC), stage.addPeer({})]);
    const consumed = await consumeOn(comer.node, stage, second.producer.id);
    expect(await deliver(second, SSRC, consumed.consumer)).toBe(`tone of ${SSRC}`);
  });

  it("places whoever comes back in the moment of a worker's death on one that runs", async () => {
    await using sfu = await openTestSfu();
    using stage = sfu.openStage("a");
    const peer = await stage.addPeer({});
    const back = new Promise((resolve, reject) => {
      peer.events.on("state", () => stage.addPeer({}).then(resolve, reject));
    });
    const [worker] = sfu.workers;
    const asked = stage.addPeer({});
    await died(sfu, 0);
    expect(await back).toMatchObject({ state: "new" });
    // It was asked for when the worker was already dying.
    expect(await asked.catch((error: unknown) => error)).toBeDefined();
    expect(worker?.deaths).toBe(1);
  });

  it("says `gone` to whoever is late, and leaves nothing of it", async () => {
    await using sfu = await openTestSfu({ workers: 2 });
    const gone = { code: "gone" };

    const closedStage = sfu.openStage("closed while things open");
    await closedStage.addPeer({});
    const opening = [
      closedStage.addPeer({}),
      addOpusFeed(closedStage, 1),
      closedStage.addAudioObserver({
        ...{ levelIntervalMs: 200, speakerIntervalMs: 300, threshold: -60, maxLevels: 4 },
        accepts: () => true,
      }),
    ];
    closedStage.close();
    for (const result of await Promise.allSettled(opening)) expect(result).toMatchObject({ reason: gone });
    await expect(closedStage.addPeer({})).rejects.toMatchObject(gone);

    const startingStage = sfu.openStage("closed while its worker starts");
    const starting = startingStage.addPeer({});
    startingStage.close();
    await expect(starting).rejects.toMatchObject(gone);

    const stage = sfu.openStage("a");
    const { peers, there } = await spread(stage);
    const [peer] = peers;
    if (peer === undefined) throw new Error("no peer");
    const feed = await addOpusFeed(stage, SSRC);
    const options = { producerId: feed.producer.id, rtpCapabilities: peer.node.router.rtpCapabilities };
    const consuming = peer.consume(options);
    peer.close();
    await expect(consuming).rejects.toMatchObject(gone);
    await expect(peer.consume(options)).rejects.toMatchObject(gone);
    expect(peer.consumers).toBe(0);

    const late = [stage.bring(feed.producer.id, there), stage.addTap(feed.producer.id, IGNORE)];
    feed.close();
    for (const result of await Promise.allSettled<unknown>(late)) expect(result).toMatchObject({ reason: gone });
    expect(stage.pipes).toBe(0);

    const other = await addOpusFeed(stage, SSRC);
    const bringing = stage.bring(other.producer.id, there).catch((error: unknown) => error);
    stage.close();
    expect(await bringing).toMatchObject(gone);
    expect(sfu.stages).toBe(0);
    expect(await held(sfu)).toEqual([NOTHING, NOTHING]);
    expect(sfu.workers.map(({ load }) => load)).toEqual([0, 0]);
  });

  it("counts a peer's consumers as long as they are there", async () => {
    await using sfu = await openTestSfu();
    using stage = sfu.openStage("a");
    const feed = await addOpusFeed(stage, SSRC);
    const peer = await stage.addPeer({});
    const { rtpCapabilities } = peer.node.router;
    const [one] = await Promise.all([
      peer.consume({ producerId: feed.producer.id, rtpCapabilities }),
      peer.consume({ producerId: feed.producer.id, rtpCapabilities }),
    ]);
    expect(peer.consumers).toBe(2);
    one.close();
    expect(peer.consumers).toBe(1);
    peer.close();
    expect(peer.consumers).toBe(0);
    // The feed alone.
    expect(sfu.workers[0]?.load).toBe(1);
  });

  it("leaves nothing behind in 200 rounds of opening and closing", async () => {
    await using sfu = await openTestSfu({ workers: 2 });
    const worker = () => sfu.workers[0];
    const residentKb = async () => {
      const status = await readFile(`/proc/${worker()?.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    };
    const round = async (index: number) => {
      using stage = sfu.openStage(`round ${index}`);
      const [feed, peer, laidOut] = await Promise.all([
        addOpusFeed(stage, SSRC),
        stage.addPeer({}),
        stage.addPeer({ layout: LAYOUT }),
      ]);
      await stage.addTap(feed.producer.id, IGNORE);
      for (const each of [peer, laidOut]) {
        await each.consume({ producerId: feed.producer.id, rtpCapabilities: each.node.router.rtpCapabilities });
      }
      expect(stage.pipes).toBe(1);
      // Every other round its parts close before the stage.
      if (index % 2 === 0) return;
      peer.close();
      laidOut.close();
      feed.close();
      expect(stage.pipes).toBe(0);
    };
    for (let index = 0; index < 50; index += 1) await round(index);
    const early = await residentKb();
    for (let index = 50; index < 200; index += 1) await round(index);
    expect(await held(sfu)).toEqual([NOTHING, NOTHING]);
    expect(sfu.workers.map(({ load }) => load)).toEqual([0, 0]);
    expect((await residentKb()) - early).toBeLessThan(4096);
    expect(worker()?.events.listenerCount("died")).toBe(0);
  });
});

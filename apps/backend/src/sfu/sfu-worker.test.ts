import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { ManualClock } from "@klieg/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRtcPorts } from "./rtc-ports.ts";
import type { Sfu } from "./sfu.ts";
import type { SfuWorker } from "./sfu-worker.ts";
import { openTestSfu, WORKER_MAY_BE_MISSING } from "./testing/test-sfu.ts";

function first(sfu: Sfu): SfuWorker {
  const [worker] = sfu.workers;
  if (worker === undefined) throw new Error("no worker");
  return worker;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Starts the worker. @returns its process id. */
async function start(worker: SfuWorker): Promise<number> {
  const { router } = await worker.createRouter();
  router.close();
  if (worker.pid === undefined) throw new Error("it does not run");
  return worker.pid;
}

/** Lets time go by in which the worker answers. */
async function last(worker: SfuWorker, clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1000);
    await worker.resourceUsage();
  }
}

describe.skipIf(WORKER_MAY_BE_MISSING)("RTC4: a media worker", () => {
  it("is started when it is needed, once for all who need it, and gone when it is closed", async () => {
    const listening = () => ["SIGINT", "SIGTERM"].map((signal) => process.listenerCount(signal));
    const before = listening();
    const sfu = await openTestSfu();
    const worker = first(sfu);
    expect([worker.isRunning, worker.pid, await worker.resourceUsage()]).toEqual([false, undefined, undefined]);
    const [pid] = await Promise.all([start(worker), start(worker), start(worker)]);
    expect(await worker.resourceUsage()).toMatchObject({ ru_utime: expect.any(Number) });
    // Ours to close, in our order: not mediasoup's.
    expect(listening()).toEqual(before);
    expect(isAlive(pid)).toBe(true);
    await sfu.close();
    expect(isAlive(pid)).toBe(false);
    await expect(worker.createRouter()).rejects.toThrow("closed");
  });

  it("is gone too when it is closed while it starts", async () => {
    const sfu = await openTestSfu();
    const starting = first(sfu).createRouter();
    await Promise.all([sfu.close(), starting.catch(() => undefined)]);
    expect(first(sfu).isRunning).toBe(false);
  });

  it("comes back by itself when it dies, at once the first time, then later each time", async () => {
    const clock = new ManualClock();
    await using sfu = await openTestSfu({ clock });
    const worker = first(sfu);
    const die = async () => {
      const died = worker.events.once("died");
      process.kill(await start(worker), "SIGKILL");
      await died;
    };
    await die();
    // It is being started already: nobody has to ask.
    expect(worker.isUsable).toBe(true);
    await die();
    for (const pauseMs of [1000, 2000, 4000]) {
      expect(worker.isUsable).toBe(false);
      await expect(worker.createRouter()).rejects.toThrow("SIGKILL");
      clock.advance(pauseMs - 1);
      expect(worker.isUsable).toBe(false);
      clock.advance(1);
      await die();
    }
    clock.advance(8000);
    await start(worker);
    await last(worker, clock, 10);
    await die();
    expect(worker.isUsable).toBe(true);
    expect(worker.deaths).toBe(6);
  });

  it("that was told to end by a signal comes back when it is needed", async () => {
    await using sfu = await openTestSfu();
    const worker = first(sfu);
    const pid = await start(worker);
    const died = worker.events.once("died");
    process.kill(pid, "SIGTERM");
    await died;
    expect(worker.isRunning).toBe(false);
    expect(await start(worker)).not.toBe(pid);
  });

  it("that does not answer any more is killed", async () => {
    const clock = new ManualClock();
    await using sfu = await openTestSfu({ clock });
    const worker = first(sfu);
    const pid = await start(worker);
    // One that answers is left in peace, however long it runs.
    await last(worker, clock, 20);
    expect(worker.pid).toBe(pid);
    const died = worker.events.once("died");
    process.kill(pid, "SIGSTOP");
    clock.advance(10_000);
    await died;
    expect(isAlive(pid)).toBe(false);
    expect(await start(worker)).not.toBe(pid);
  });

  it("that does not end when it is told to is killed", async () => {
    const clock = new ManualClock();
    const sfu = await openTestSfu({ clock });
    const worker = first(sfu);
    const pid = await start(worker);
    process.kill(pid, "SIGSTOP");
    const closed = sfu.close();
    while (worker.isRunning) await new Promise(setImmediate);
    clock.advance(3000);
    await closed;
    expect(isAlive(pid)).toBe(false);
  });

  describe("whose port is taken", () => {
    let port: number;
    let squatter: Socket;
    beforeEach(async () => {
      ({ port } = await findRtcPorts({ port: 0, workers: 2, addresses: [{ ip: "127.0.0.1" }] }));
      squatter = createSocket("udp4");
      squatter.bind({ port, address: "127.0.0.1", exclusive: true });
      await once(squatter, "listening");
    });
    afterEach(() => {
      squatter.close();
    });

    it("says so in words of ours, and is not tried again and again", async () => {
      const clock = new ManualClock();
      await using sfu = await openTestSfu({ port, clock });
      const worker = first(sfu);
      using stage = sfu.openStage("a");
      const comers = await Promise.allSettled([stage.addPeer({}), stage.addPeer({}), stage.addPeer({})]);
      for (const comer of comers) expect(comer).toMatchObject({ reason: { code: "webrtc_unavailable" } });
      expect([worker.failures, worker.isUsable, worker.load]).toEqual([1, false, 0]);
      await expect(stage.addPeer({})).rejects.toMatchObject({ code: "webrtc_unavailable" });
      expect(worker.failures).toBe(1);
      clock.advance(1000);
      await expect(stage.addPeer({})).rejects.toMatchObject({ code: "webrtc_unavailable" });
      expect(worker.failures).toBe(2);
      clock.advance(1000);
      expect(worker.isUsable).toBe(false);
      squatter.close();
      await once(squatter, "close");
      squatter = createSocket("udp4");
      clock.advance(1000);
      expect(await stage.addPeer({})).toMatchObject({ state: "new" });
    });

    it("leaves its peers to the others", async () => {
      await using sfu = await openTestSfu({ port, workers: 2 });
      using stage = sfu.openStage("a");
      const peers = await Promise.all(Array.from({ length: 5 }, () => stage.addPeer({})));
      expect(peers.map(({ node }) => node.worker.index)).toEqual([1, 1, 1, 1, 1]);
      expect(sfu.workers.map(({ load }) => load)).toEqual([0, 5]);
    });
  });
});

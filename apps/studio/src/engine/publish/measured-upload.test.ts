import { setImmediate } from "node:timers/promises";
import { ManualClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { SrtListener } from "@klieg/srt";
import { MemoryNetwork } from "@klieg/srt/testing";
import { describe, expect, test } from "vitest";
import { type MeasuredUpload, measureUpload } from "./measured-upload.ts";

const PORT = 9000;
const TARGET = { host: "127.0.0.1", port: PORT, streamId: "key", passphrase: undefined, latencyMs: 300 };

/** Measures a network in simulated time. @param bitrate of its narrowest place, bits/s. */
async function measured(options: { bitrate: number; delayMs: number; loss?: number; abortAfterMs?: number }) {
  const { bitrate, delayMs, loss = 0, abortAfterMs = Number.POSITIVE_INFINITY } = options;
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock, { delayMs, loss });
  network.bottleneck = { to: PORT, bitrate, queueBytes: 200_000 };
  const abort = new AbortController();
  await using listener = new SrtListener({
    clock,
    openPort: network.open,
    delivery: "prompt",
    onConnection: () => ({ handler: {} }),
  });
  await listener.listen({ port: PORT });
  const asked = measureUpload(TARGET, { clock, signal: abort.signal, openPort: network.open });
  let settled = false;
  const settle = () => {
    settled = true;
  };
  asked.then(settle, settle);
  for (let turns = 0; !settled && turns < 15_000; turns += 1) {
    if (clock.now() > abortAfterMs) abort.abort(new KliegError("conflict", "The show begins."));
    clock.advance(1);
    await setImmediate();
  }
  const tookMs = clock.now();
  void listener.close();
  clock.advance(2000);
  const result: MeasuredUpload = await asked;
  return { ...result, tookMs };
}

describe("what the upload carries (STU2)", () => {
  test.each([
    [1_500_000, 10],
    [4_000_000, 30],
    [8_000_000, 100],
  ])("%i bits/s, %i ms away: within a sixth, in less than ten seconds", async (bitrate, delayMs) => {
    const upload = await measured({ bitrate, delayMs });
    expect(upload.atLeast).toBe(false);
    // Headers take 4 %.
    expect(upload.bitrate).toBeGreaterThan(bitrate * 0.8);
    expect(upload.bitrate).toBeLessThan(bitrate * 1.15);
    expect(upload.rttMs).toBeGreaterThanOrEqual(delayMs * 2);
    expect(upload.rttMs).toBeLessThan(delayMs * 2 + 40);
    expect(upload.tookMs).toBeLessThan(9000);
  });

  test("more than is tried is said to be at least that much", async () => {
    const upload = await measured({ bitrate: 100_000_000, delayMs: 10 });
    expect(upload.atLeast).toBe(true);
    expect(upload.bitrate).toBeGreaterThan(17_000_000);
    expect(upload.loss).toBe(0);
  });

  test("is given up when the show begins", async () => {
    await expect(measured({ bitrate: 4_000_000, delayMs: 10, abortAfterMs: 2000 })).rejects.toThrow("The show begins.");
  });
});

import { expect, test } from "vitest";
import type { SrtCloseReason } from "./close-reason.ts";
import { Pacer } from "./pacer.ts";
import { SEQUENCE_MODULUS } from "./sequence-number.ts";
import { SimulatedPair } from "./testing/simulated-pair.ts";

/** One message of 1316 bytes every 1.755 ms is 6 Mb/s. */
const SIX_MEGABITS_MS = 1.755;

test("ING2: a perfect link delivers every message in order, latency after it was sent", async () => {
  await using pair = await SimulatedPair.connect({ caller: { latencyMs: 120 } });
  const sent = pair.near.connection.send(Buffer.from("first"));
  expect(sent).toBe(true);
  pair.clock.advance(100);
  expect(pair.far.received).toHaveLength(0);
  pair.clock.advance(40);
  expect(pair.far.received.map(String)).toEqual(["first"]);
  const messages = pair.stream(pair.near, { count: 500, everyMs: SIX_MEGABITS_MS });
  expect(equal(pair.far.received.slice(1), messages)).toBe(true);
  const statistics = pair.far.connection.statistics();
  expect(statistics).toMatchObject({ packetsReceived: 501, packetsLost: 0, packetsReceiveDropped: 0, naksSent: 0 });
  expect(statistics.rttMs).toBeCloseTo(2, 0);
});

test("ING2: prompt delivery does not wait for the latency, and still orders", async () => {
  await using pair = await SimulatedPair.connect({
    link: { seed: 5, jitterMs: 10 },
    listener: { delivery: "prompt" },
  });
  pair.near.connection.send(Buffer.from("first"));
  pair.clock.advance(12);
  expect(pair.far.received.map(String)).toEqual(["first"]);
  const messages = pair.stream(pair.near, { count: 500, everyMs: SIX_MEGABITS_MS });
  expect(equal(pair.far.received.slice(1), messages)).toBe(true);
});

test("ING2: 5 % loss at 60 ms round trip and 6 Mb/s is recovered within 250 ms of latency", async () => {
  for (const delivery of ["paced", "prompt"] as const) {
    await using pair = await SimulatedPair.connect({
      link: { seed: 43, delayMs: 30, loss: 0.05 },
      caller: { latencyMs: 250 },
      listener: { latencyMs: 250, delivery },
    });
    const messages = pair.stream(pair.near, { count: 8000, everyMs: SIX_MEGABITS_MS });
    expect(pair.near.connection.statistics().packetsReportedLost).toBeGreaterThan(200);
    expect(pair.far.connection.statistics().packetsReceiveDropped).toBe(0);
    expect(equal(pair.far.received, messages)).toBe(true);
  }
});

test("ING2: loss, reordering and duplication in both directions at once, with encryption and re-keying", async () => {
  await using pair = await SimulatedPair.connect({
    link: { seed: 7, delayMs: 20, jitterMs: 15, loss: 0.03, duplication: 0.02 },
    caller: {
      latencyMs: 400,
      passphrase: "correct horse battery",
      keyLength: 32,
      keyRefresh: { refreshPackets: 300, announcePackets: 100 },
    },
    listener: { latencyMs: 400, keyRefresh: { refreshPackets: 500, announcePackets: 100 } },
    passphrase: "correct horse battery",
  });
  expect(pair.request.encryption).toBe(32);
  const there: Buffer[] = [];
  const back: Buffer[] = [];
  for (let index = 0; index < 3000; index++) {
    there.push(Buffer.from(`there ${index}`));
    back.push(Buffer.from(`back ${index}`));
    pair.near.connection.send(there[index] as Buffer);
    pair.far.connection.send(back[index] as Buffer);
    pair.clock.advance(2);
  }
  pair.clock.advance(1000);
  expect(equal(pair.far.received, there)).toBe(true);
  expect(equal(pair.near.received, back)).toBe(true);
  const near = pair.near.connection.statistics();
  const far = pair.far.connection.statistics();
  expect(near.sendKeyRefreshes).toBeGreaterThanOrEqual(7);
  expect(far.sendKeyRefreshes).toBeGreaterThanOrEqual(4);
  expect(far.receiveKeyRefreshes).toBeGreaterThanOrEqual(7);
  expect([near.packetsUndecrypted, far.packetsUndecrypted]).toEqual([0, 0]);
  expect(far.packetsDuplicate).toBeGreaterThan(0);
});

test("ING2: sequence numbers wrap in mid-stream, with loss around the wrap", async () => {
  await using pair = await SimulatedPair.connect({
    link: { seed: 3, delayMs: 10, loss: 0.1 },
    caller: { initialSequence: SEQUENCE_MODULUS - 200, latencyMs: 300 },
    listener: { latencyMs: 300 },
  });
  const messages = pair.stream(pair.near, { count: 600, everyMs: 2 });
  expect(equal(pair.far.received, messages)).toBe(true);
});

test("ING2: the 32-bit timestamp wraps in mid-stream (71.6 minutes after the caller began)", async () => {
  await using pair = await SimulatedPair.connect({ link: { seed: 3, delayMs: 10, loss: 0.02 } });
  pair.clock.advance(2 ** 32 / 1000 - 500);
  const messages = pair.stream(pair.near, { count: 600, everyMs: 2 });
  expect(equal(pair.far.received, messages)).toBe(true);
  expect(pair.far.connection.statistics().packetsReceiveDropped).toBe(0);
});

test("ING2: what cannot come in time is dropped, and what follows is not held up", async () => {
  await using pair = await SimulatedPair.connect({ listener: { latencyMs: 100 } });
  // The tenth message is lost each time it is sent.
  pair.network.filter = (datagram) =>
    !((datagram[0] as number) < 0x80 && (datagram.readUInt32BE(4) & 0x3ffffff) === 10);
  for (let index = 1; index <= 20; index++) {
    pair.near.connection.send(Buffer.from(String(index)));
    pair.clock.advance(2);
  }
  pair.clock.advance(140);
  expect(pair.far.received.map(String)).toEqual(
    Array.from({ length: 20 }, (_, index) => String(index + 1)).filter((each) => each !== "10"),
  );
  expect(pair.far.connection.statistics()).toMatchObject({ packetsLost: 1, packetsReceiveDropped: 1 });
});

test("ING2: with too-late drop off the receiver waits for the sender to give up", async () => {
  await using pair = await SimulatedPair.connect({ listener: { latencyMs: 100, tooLateDrop: false } });
  pair.network.filter = (datagram) => !((datagram[0] as number) < 0x80 && (datagram.readUInt32BE(4) & 0x3ffffff) === 3);
  for (let index = 1; index <= 5; index++) pair.near.connection.send(Buffer.from(String(index)));
  pair.clock.advance(500);
  expect(pair.far.received.map(String)).toEqual(["1", "2"]);
  pair.clock.advance(1500);
  expect(pair.far.received.map(String)).toEqual(["1", "2", "4", "5"]);
  expect(pair.near.connection.statistics().packetsSendDropped).toBeGreaterThan(0);
});

test("ING2: a lost tail is sent again although no loss report can tell of it", async () => {
  await using pair = await SimulatedPair.connect({ link: { delayMs: 10 }, listener: { latencyMs: 1000 } });
  pair.stream(pair.near, { count: 50, everyMs: 2, settleMs: 200 });
  pair.network.filter = () => false;
  pair.near.connection.send(Buffer.from("tail"));
  pair.network.filter = () => true;
  pair.clock.advance(1500);
  expect(String(pair.far.received.at(-1))).toBe("tail");
});

test("ING2: an outage longer than the latency costs what was sent in it and no more", async () => {
  await using pair = await SimulatedPair.connect({ link: { delayMs: 10 }, listener: { latencyMs: 200 } });
  pair.stream(pair.near, { count: 200, everyMs: 2, settleMs: 0 });
  pair.network.filter = () => false;
  pair.stream(pair.near, { count: 500, everyMs: 2, settleMs: 0 });
  pair.network.filter = () => true;
  const after = pair.stream(pair.near, { count: 500, everyMs: 2 });
  expect(equal(pair.far.received.slice(-400), after.slice(-400))).toBe(true);
  expect(pair.far.reasons).toEqual([]);
});

test("ING2: the sender refuses when its buffer is full and says when there is room", async () => {
  await using pair = await SimulatedPair.connect({
    caller: { sendBufferPackets: 64, pacing: { kind: "limit", bitsPerSecond: 2_000_000 } },
    listener: { latencyMs: 1000 },
  });
  let taken = 0;
  while (pair.near.connection.send(Buffer.alloc(1316))) taken++;
  expect(taken).toBe(64);
  expect(pair.near.drains).toBe(0);
  pair.clock.advance(2000);
  expect(pair.near.drains).toBe(1);
  expect(pair.far.received).toHaveLength(64);
  expect(() => pair.near.connection.send(Buffer.alloc(1457))).toThrow(RangeError);
  expect(() => pair.near.connection.send(Buffer.alloc(0))).toThrow(RangeError);
});

test("ING2: pacing spreads a burst", async () => {
  await using pair = await SimulatedPair.connect({
    caller: { pacing: { kind: "limit", bitsPerSecond: 4_000_000 } },
    listener: { delivery: "prompt" },
  });
  for (let index = 0; index < 100; index++) pair.near.connection.send(Buffer.alloc(1316));
  // 100 packets of 1360 bytes on the wire take 272 ms at 4 Mb/s.
  pair.clock.advance(136);
  expect(pair.far.received.length).toBeGreaterThan(40);
  expect(pair.far.received.length).toBeLessThan(60);
  pair.clock.advance(160);
  expect(pair.far.received).toHaveLength(100);
});

test("ING2: pacing makes good what late timers cost", () => {
  const pacer = new Pacer({ kind: "limit", bitsPerSecond: 4_000_000 });
  let sent = 0;
  // Always something to send, by a timer that comes every 60 ms only.
  for (let now = 0; now <= 6_000_000; now += 60_000) {
    while (pacer.take(1360, now) === 0) sent += 1360;
  }
  expect((sent * 8) / 6).toBeGreaterThan(3_900_000);
  expect((sent * 8) / 6).toBeLessThan(4_100_000);
  // Who has nothing to send saves up a moment only.
  let burst = 0;
  const idle = new Pacer({ kind: "limit", bitsPerSecond: 4_000_000 });
  idle.take(1360, 0);
  while (idle.take(1360, 10_000_000) === 0) burst += 1360;
  expect(burst).toBeLessThanOrEqual(5000);
});

test("ING2: pacing can be changed while there is something to send", async () => {
  await using pair = await SimulatedPair.connect({ listener: { delivery: "prompt" } });
  pair.near.connection.pace(4_000_000);
  for (let index = 0; index < 200; index++) pair.near.connection.send(Buffer.alloc(1316));
  pair.clock.advance(136);
  expect(pair.far.received.length).toBeGreaterThan(40);
  expect(pair.far.received.length).toBeLessThan(60);
  pair.near.connection.pace(Number.POSITIVE_INFINITY);
  pair.clock.advance(20);
  expect(pair.far.received).toHaveLength(200);
});

test("ING2: reordering within the tolerance is not reported as loss", async () => {
  const link = { seed: 11, delayMs: 20, jitterMs: 6 };
  const reports: number[] = [];
  for (const maxReorderTolerance of [0, 16]) {
    await using pair = await SimulatedPair.connect({ link, listener: { maxReorderTolerance } });
    const messages = pair.stream(pair.near, { count: 2000, everyMs: 2 });
    expect(equal(pair.far.received, messages)).toBe(true);
    reports.push(pair.far.connection.statistics().naksSent);
  }
  expect(reports[0]).toBeGreaterThan(300);
  expect(reports[1]).toBeLessThan(30);
});

test("ING2: the sender keeps within the receiver's window, and none of it is lost", async () => {
  await using pair = await SimulatedPair.connect({
    link: { delayMs: 10 },
    listener: { receiveBufferPackets: 64, latencyMs: 300, tooLateDrop: false },
  });
  for (let index = 0; index < 300; index++) pair.near.connection.send(Buffer.from(String(index)));
  let most = 0;
  for (let ms = 0; ms < 900; ms++) {
    pair.clock.advance(1);
    most = Math.max(most, pair.near.connection.statistics().flightSize);
  }
  expect(most).toBeLessThanOrEqual(64);
  expect(pair.far.connection.statistics().packetsBeyondWindow).toBe(0);
  expect(pair.far.received.map(String)).toEqual(
    Array.from({ length: pair.far.received.length }, (_, index) => String(index)),
  );
  expect(pair.far.received.length).toBeGreaterThan(120);
});

test("ING2: a message that spans packets is handed up whole, and not at all when a part is lost", async () => {
  await using pair = await SimulatedPair.connect({ listener: { latencyMs: 50 } });
  const boundaries = [0b10, 0b00, 0b01, 0b10, 0b00, 0b01, 0b11];
  pair.network.filter = (datagram, from) => {
    if ((datagram[0] as number) >= 0x80 || from === 9000) return true;
    const number = datagram.readUInt32BE(4) & 0x03ff_ffff;
    const boundary = boundaries[number - 1] as number;
    datagram.writeUInt32BE(((datagram.readUInt32BE(4) & 0x3fff_ffff) | (boundary << 30)) >>> 0, 4);
    // The second message loses its middle each time.
    return number !== 5;
  };
  for (const part of ["a", "b", "c", "d", "e", "f", "g"]) pair.near.connection.send(Buffer.from(part));
  pair.clock.advance(500);
  expect(pair.far.received.map(String)).toEqual(["abc", "g"]);
  expect(pair.far.connection.statistics().packetsReceiveDropped).toBe(3);
});

test("ING2: pacing by the input rate settles a quarter above it", async () => {
  await using pair = await SimulatedPair.connect({
    caller: { pacing: { kind: "input", overheadPercent: 25 } },
    listener: { delivery: "prompt" },
  });
  const messages = pair.stream(pair.near, { count: 2000, everyMs: 2 });
  expect(equal(pair.far.received, messages)).toBe(true);
  // 1316 bytes every 2 ms are 5.44 Mb/s on the wire; a burst of one second's worth takes four fifths of a second.
  const before = pair.far.received.length;
  for (let index = 0; index < 500; index++) pair.near.connection.send(Buffer.alloc(1316));
  pair.clock.advance(400);
  const half = pair.far.received.length - before;
  expect(half).toBeGreaterThan(200);
  expect(half).toBeLessThan(300);
});

test("ING2: statistics tell rates, buffers and what is under way", async () => {
  await using pair = await SimulatedPair.connect({ link: { delayMs: 25 }, listener: { latencyMs: 200 } });
  pair.stream(pair.near, { count: 1500, everyMs: 2, settleMs: 0 });
  const near = pair.near.connection.statistics();
  const far = pair.far.connection.statistics();
  expect(near.sendRateBps / 1e6).toBeCloseTo(5.26, 0);
  expect(far.receiveRateBps / 1e6).toBeCloseTo(5.26, 0);
  expect(far.receiveBufferMs).toBeGreaterThan(150);
  expect(far.receiveBufferMs).toBeLessThan(210);
  expect(far.receiveBufferBytes).toBe(far.receiveBufferPackets * 1316);
  expect(near.flightSize).toBeGreaterThan(20);
  expect(near.flightSize).toBeLessThan(40);
  expect(near.rttMs).toBeCloseTo(50, -1);
  expect(far.bandwidthBps).toBeGreaterThan(1e6);
  expect(near).toMatchObject({ packetsSent: 1500, bytesSent: 1500 * 1316, sendLatencyMs: 200, packetsSendDropped: 0 });
});

test("ING2: the four ways to end are told apart", async () => {
  {
    await using pair = await SimulatedPair.connect();
    void pair.near.connection.close();
    pair.clock.advance(10);
    expect(pair.near.reasons).toMatchObject([{ kind: "owner", by: "owner" }]);
    expect(pair.far.reasons).toMatchObject([{ kind: "peer_shutdown", by: "peer" }]);
    expect(pair.listener.statistics().connections).toBe(0);
  }
  {
    await using pair = await SimulatedPair.connect();
    pair.clock.advance(20_000);
    expect(pair.far.reasons, "keep-alives hold an idle connection").toEqual([]);
    pair.network.filter = () => false;
    pair.clock.advance(4900);
    expect(pair.far.reasons).toEqual([]);
    pair.clock.advance(1200);
    expect(pair.far.reasons).toMatchObject([{ kind: "idle_timeout", by: "self" }]);
    expect(pair.near.reasons).toMatchObject([{ kind: "idle_timeout", by: "self" }]);
  }
  {
    const reasons: SrtCloseReason[] = [];
    await using pair = await SimulatedPair.connect({
      listener: {
        onConnection: () => ({
          handler: {
            onClose: (reason) => void reasons.push(reason),
            onData: () => {
              throw new Error("cannot take it");
            },
          },
        }),
      },
    });
    pair.near.connection.send(Buffer.from("x"));
    pair.clock.advance(300);
    expect(pair.near.reasons).toMatchObject([{ kind: "peer_shutdown" }]);
    expect(reasons).toMatchObject([{ kind: "handler_error", error: { message: "cannot take it" } }]);
    expect(pair.listener.statistics().connections).toBe(0);
  }
  {
    await using pair = await SimulatedPair.connect();
    await pair.listener.close();
    pair.clock.advance(10);
    expect(pair.far.reasons).toMatchObject([{ kind: "owner" }]);
    expect(pair.near.reasons).toMatchObject([{ kind: "peer_shutdown" }]);
  }
});

test("ING2: close lingers until what was sent has arrived, and not longer than it was told", async () => {
  await using pair = await SimulatedPair.connect({
    link: { delayMs: 30, seed: 9, loss: 0.2 },
    caller: { lingerMs: 2000 },
    listener: { latencyMs: 600 },
  });
  for (let index = 0; index < 50; index++) pair.near.connection.send(Buffer.from(String(index)));
  void pair.near.connection.close();
  void pair.near.connection.close();
  pair.clock.advance(3000);
  expect(pair.far.received).toHaveLength(50);
  expect(pair.near.reasons).toHaveLength(1);

  await using clean = await SimulatedPair.connect({ link: { delayMs: 30 }, caller: { lingerMs: 2000 } });
  clean.near.connection.send(Buffer.from("x"));
  void clean.near.connection.close();
  clean.clock.advance(80);
  expect(clean.near.reasons, "closed as soon as all is acknowledged").toHaveLength(1);

  await using cut = await SimulatedPair.connect({ link: { delayMs: 30 }, caller: { lingerMs: 500 } });
  cut.network.filter = () => false;
  cut.near.connection.send(Buffer.from("x"));
  void cut.near.connection.close();
  cut.clock.advance(490);
  expect(cut.near.reasons).toEqual([]);
  cut.clock.advance(20);
  expect(cut.near.reasons).toMatchObject([{ kind: "owner" }]);
});

test("ING2: a closed pair leaves no timer", async () => {
  const pair = await SimulatedPair.connect();
  pair.stream(pair.near, { count: 20, everyMs: 2 });
  await pair[Symbol.asyncDispose]();
  pair.clock.advance(10_000);
  expect(pair.clock.pending).toBe(0);
});

function equal(left: readonly Buffer[], right: readonly Buffer[]): boolean {
  return left.length === right.length && left.every((buffer, index) => buffer.equals(right[index] as Buffer));
}

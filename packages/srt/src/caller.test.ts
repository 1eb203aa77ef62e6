import dgram from "node:dgram";
import { KliegError } from "@klieg/protocol";
import { expect, test } from "vitest";
import { SrtCaller } from "./caller.ts";
import { type DatagramPortFactory, openUdpPort } from "./datagram-port.ts";
import { SrtListener } from "./listener.ts";
import { rejectReasonWords } from "./reject-reason.ts";
import { SimulatedPair } from "./testing/simulated-pair.ts";

const PASSPHRASE = "correct horse battery";

test("ING2: a handshake gets through a link that loses half of it", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    await using pair = await SimulatedPair.connect({
      link: { seed, loss: 0.5, delayMs: 20 },
      caller: { streamId: "publish:KEY", passphrase: PASSPHRASE },
      passphrase: PASSPHRASE,
    });
    expect(pair.request.streamId).toBe("publish:KEY");
    pair.network.behaviour = { ...pair.network.behaviour, loss: 0 };
    pair.near.connection.send(Buffer.from("through"));
    pair.clock.advance(500);
    expect(pair.far.received.map(String)).toEqual(["through"]);
    expect(pair.listener.statistics().connections).toBe(1);
  }
});

test("ING2: a refusal reaches the caller as a typed error with libsrt's code and words", async () => {
  const refused = (listener: Parameters<typeof SimulatedPair.connect>[0]) => SimulatedPair.connect(listener);
  await expect(
    refused({
      listener: {
        onConnection: () => {
          throw new KliegError("stream_key_invalid", "no such key");
        },
      },
    }),
  ).rejects.toMatchObject({ kind: "rejected", rejectReason: 1401, message: expect.stringContaining("unauthorized") });
  await expect(refused({ caller: { passphrase: "another passphrase" }, passphrase: PASSPHRASE })).rejects.toMatchObject(
    { kind: "rejected", rejectReason: 10, message: expect.stringContaining("incorrect passphrase") },
  );
  await expect(refused({ passphrase: PASSPHRASE })).rejects.toMatchObject({ rejectReason: 11 });
  await expect(refused({ caller: { passphrase: PASSPHRASE } })).rejects.toMatchObject({ rejectReason: 11 });
});

test("ING2: words for every kind of reason", () => {
  expect(rejectReasonWords(16)).toBe("connection timeout");
  expect(rejectReasonWords(99)).toBe("reason 99");
  expect(rejectReasonWords(1999)).toBe("predefined reason 1999");
  expect(rejectReasonWords(2001)).toBe("application-defined reason 2001");
});

test("ING2: the greater latency wish of both ends counts, in each direction", async () => {
  await using pair = await SimulatedPair.connect({
    caller: { latencyMs: 300, peerLatencyMs: 100 },
    listener: { latencyMs: 200, peerLatencyMs: 500 },
  });
  expect([pair.near.connection.receiveLatencyMs, pair.near.connection.sendLatencyMs]).toEqual([500, 200]);
  expect([pair.far.connection.receiveLatencyMs, pair.far.connection.sendLatencyMs]).toEqual([200, 500]);
});

test("ING2: nobody there is a timeout, an aborted call is closed, and neither leaves a socket", async () => {
  await using silent = await udpSocket();
  let open = 0;
  const openPort: DatagramPortFactory = async (options) => {
    const port = await openUdpPort(options);
    open++;
    return { ...port, close: () => port.close().then(() => void open--) };
  };
  const target = { host: "localhost", port: silent.port, openPort };
  await expect(SrtCaller.connect({ ...target, connectTimeoutMs: 50 })).rejects.toMatchObject({ kind: "timeout" });
  const aborting = new AbortController();
  const call = SrtCaller.connect({ ...target, signal: aborting.signal });
  aborting.abort();
  await expect(call).rejects.toMatchObject({ kind: "closed" });
  await expect(SrtCaller.connect({ ...target, signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "closed" });
  await expect(SrtCaller.connect({ ...target, passphrase: "short" })).rejects.toThrow(RangeError);
  await expect(SrtCaller.connect({ ...target, streamId: "x".repeat(513) })).rejects.toThrow(RangeError);
  expect(open).toBe(0);
});

test("ING2: over real UDP, IPv4 and IPv6, both directions", async () => {
  for (const host of ["127.0.0.1", "::1"]) {
    const far: string[] = [];
    const arrived = Promise.withResolvers<void>();
    await using listener = new SrtListener({
      delivery: "prompt",
      latencyMs: 20,
      onConnection: () => ({
        handler: {
          onData(payload) {
            far.push(payload.toString());
            for (const connection of listener.connections) connection.send(Buffer.from(`echo ${payload}`));
          },
        },
      }),
    });
    await listener.listen({ port: 0, host });
    const near: string[] = [];
    const connection = await SrtCaller.connect({
      host,
      port: listener.port,
      delivery: "prompt",
      handler: {
        onData(payload) {
          near.push(payload.toString());
          if (near.length === 3) arrived.resolve();
        },
      },
    });
    for (const word of ["one", "two", "three"]) connection.send(Buffer.from(word));
    await arrived.promise;
    expect(far).toEqual(["one", "two", "three"]);
    expect(near).toEqual(["echo one", "echo two", "echo three"]);
    await connection.close();
    expect(connection.closeReason).toMatchObject({ kind: "owner" });
  }
});

async function udpSocket(): Promise<AsyncDisposable & { port: number }> {
  const socket = dgram.createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void socket.close(() => resolve())),
  };
}

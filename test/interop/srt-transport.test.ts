import { createHash } from "node:crypto";
import { KliegError } from "@klieg/protocol";
import { type KeyLength, SrtCaller, type SrtConnection, SrtListener, type SrtListenerOptions } from "@klieg/srt";
import { LossyRelay } from "@klieg/srt/testing";
import { describe, expect, it } from "vitest";
import { Child } from "../harness/child.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { until } from "../harness/until.ts";

requirePackages("srt-tools", "ffmpeg");

const PASSPHRASE = "a long enough phrase";
const MESSAGE_SIZE = 1316;
/** srt-live-transmit reads its standard input ahead by up to 8 kB and leaves that behind at the end. */
const FILLER = 32;

/** `count` messages that no two are alike, and filler that may be lost. */
function makeMessages(count: number): Buffer[] {
  return Array.from({ length: count + FILLER }, (_, index) => {
    const seed = createHash("sha512").update(`message ${index}`).digest();
    const message = Buffer.alloc(MESSAGE_SIZE, seed);
    message.writeUInt32BE(index, 0);
    return message;
  });
}

/** Hands messages on at `bitrate` bits/s. */
async function pace(messages: readonly Buffer[], bitrate: number, push: (message: Buffer) => void): Promise<void> {
  const perMs = bitrate / 8000 / MESSAGE_SIZE;
  const begin = performance.now();
  let next = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (const due = (performance.now() - begin) * perMs; next < due && next < messages.length; next++) {
        push(messages[next] as Buffer);
      }
      if (next < messages.length) return;
      clearInterval(timer);
      resolve();
    }, 2);
  });
}

/** What arrives, cut into messages again where it comes from a pipe. */
class Arrivals {
  readonly messages: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (; at + MESSAGE_SIZE <= all.length; at += MESSAGE_SIZE) this.messages.push(all.subarray(at, at + MESSAGE_SIZE));
    this.#rest = all.subarray(at);
  }

  /** Resolves when `count` messages have come, or when nothing has come for a second. */
  async settled(count: number): Promise<void> {
    let seen = -1;
    let since = performance.now();
    await until(
      () => {
        if (this.messages.length !== seen) {
          seen = this.messages.length;
          since = performance.now();
        }
        return seen >= count || performance.now() - since > 1000;
      },
      { what: "messages to settle" },
    );
  }

  /** Numbers of the messages of `sent`, filler left out, that did not come as they were sent. */
  missing(sent: readonly Buffer[]): number[] {
    const arrived = new Map(this.messages.map((message) => [message.readUInt32BE(0), message]));
    return sent
      .slice(0, -FILLER)
      .flatMap((message, index) => (arrived.get(index)?.equals(message) === true ? [] : [index]));
  }

  get inOrder(): boolean {
    return this.messages.every(
      (message, index) => index === 0 || message.readUInt32BE(0) > (this.messages[index - 1] as Buffer).readUInt32BE(0),
    );
  }
}

function transmit(input: string, output: string): Child {
  return new Child("srt-live-transmit", ["-v", "-loglevel:note", `-chunk:${MESSAGE_SIZE}`, input, output], {
    binaryOutput: output === "file://con",
    stopSignal: "SIGKILL",
  });
}

/** Our listener, which collects what one caller sends. */
class Collector implements AsyncDisposable {
  readonly arrivals = new Arrivals();
  readonly listener: SrtListener;
  readonly connected = Promise.withResolvers<SrtConnection>();
  readonly streamIds: string[] = [];

  constructor(passphrase?: string, options: Partial<SrtListenerOptions> = {}) {
    this.listener = new SrtListener({
      onConnection: ({ streamId }) => {
        this.streamIds.push(streamId);
        return {
          ...(passphrase === undefined ? {} : { passphrase }),
          handler: {
            onOpen: (connection) => this.connected.resolve(connection),
            onData: (payload) => this.arrivals.push(payload),
          },
        };
      },
      ...options,
    });
  }

  async listen(): Promise<number> {
    await this.listener.listen({ port: 0, host: "127.0.0.1" });
    return this.listener.port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.listener.close();
  }
}

/** A UDP port that nobody has. */
async function freePort(): Promise<number> {
  await using collector = new Collector();
  return await collector.listen();
}

describe("ING2: srt-live-transmit calls our listener", () => {
  it.each([
    { name: "plain", keyLength: undefined, delivery: "paced" as const },
    { name: "plain, delivered promptly", keyLength: undefined, delivery: "prompt" as const },
    { name: "AES-128", keyLength: 16, delivery: "paced" as const },
    { name: "AES-192", keyLength: 24, delivery: "prompt" as const },
    { name: "AES-256", keyLength: 32, delivery: "paced" as const },
  ])("$name: every byte arrives, keys changing under way", async ({ keyLength, delivery }) => {
    await using collector = new Collector(keyLength === undefined ? undefined : PASSPHRASE, { delivery });
    const port = await collector.listen();
    const encryption = `passphrase=${PASSPHRASE}&pbkeylen=${keyLength}&kmrefreshrate=200&kmpreannounce=90`;
    await using caller = transmit(
      "file://con",
      `srt://127.0.0.1:${port}?streamid=publish:KEY${keyLength === undefined ? "" : `&${encryption}`}`,
    );
    const connection = await collector.connected.promise;
    const messages = makeMessages(1000);
    await pace(messages, 8_000_000, (message) => caller.process.stdin.write(message));
    await collector.arrivals.settled(messages.length);
    expect(collector.arrivals.missing(messages)).toEqual([]);
    expect(collector.arrivals.inOrder).toBe(true);
    expect(collector.streamIds).toEqual(["publish:KEY"]);
    expect(connection.keyLength).toBe(keyLength);
    const statistics = connection.statistics();
    expect(statistics).toMatchObject({ packetsUndecrypted: 0, packetsMalformed: 0 });
    if (keyLength !== undefined) expect(statistics.receiveKeyRefreshes).toBeGreaterThanOrEqual(3);
  });

  it("is told why it is refused", async () => {
    await using listener = new SrtListener({
      onConnection: ({ streamId }) => {
        if (streamId === "revoked") throw new KliegError("stream_key_revoked", "This key was revoked.");
        return { passphrase: PASSPHRASE, handler: {} };
      },
    });
    await listener.listen({ port: 0, host: "127.0.0.1" });
    for (const [query, words] of [
      ["streamid=revoked", /REJECT.*Application-defined rejection reason/],
      ["passphrase=another passphrase", /REJECT.*Incorrect passphrase/],
      ["streamid=x", /REJECT.*Password required or unexpected/],
      ["transtype=file", /REJECT.*MessageAPI\/StreamAPI collision/],
    ] as const) {
      await using caller = transmit("file://con", `srt://127.0.0.1:${listener.port}?${query}`);
      await caller.line(words);
    }
    expect(listener.statistics()).toMatchObject({ connectionsAccepted: 0, connections: 0 });
  });

  it("receives what our listener sends", async () => {
    await using collector = new Collector(PASSPHRASE, { keyRefresh: { refreshPackets: 200, announcePackets: 90 } });
    const port = await collector.listen();
    await using caller = transmit(`srt://127.0.0.1:${port}?passphrase=${PASSPHRASE}&pbkeylen=32`, "file://con");
    const arrivals = new Arrivals();
    caller.process.stdout.on("data", (bytes: Buffer) => arrivals.push(bytes));
    const connection = await collector.connected.promise;
    const messages = makeMessages(1000);
    await pace(messages, 8_000_000, (message) => expect(connection.send(message)).toBe(true));
    await arrivals.settled(messages.length);
    expect(arrivals.missing(messages)).toEqual([]);
    expect(connection.statistics().sendKeyRefreshes).toBeGreaterThanOrEqual(3);
  });
});

describe("ING2: our caller calls srt-live-transmit", () => {
  it.each([
    { name: "plain", keyLength: undefined },
    { name: "AES-128", keyLength: 16 as KeyLength },
    { name: "AES-192", keyLength: 24 as KeyLength },
    { name: "AES-256", keyLength: 32 as KeyLength },
  ])("$name: every byte arrives, keys changing under way", async ({ keyLength }) => {
    const port = await freePort();
    const encryption = keyLength === undefined ? "" : `&passphrase=${PASSPHRASE}`;
    await using listener = transmit(`srt://127.0.0.1:${port}?mode=listener${encryption}`, "file://con");
    const arrivals = new Arrivals();
    listener.process.stdout.on("data", (bytes: Buffer) => arrivals.push(bytes));
    await using connection = await SrtCaller.connect({
      host: "127.0.0.1",
      port,
      streamId: "hello",
      connectTimeoutMs: 10_000,
      keyRefresh: { refreshPackets: 200, announcePackets: 90 },
      ...(keyLength === undefined ? {} : { passphrase: PASSPHRASE, keyLength }),
    });
    const messages = makeMessages(1000);
    await pace(messages, 8_000_000, (message) => expect(connection.send(message)).toBe(true));
    await arrivals.settled(messages.length);
    expect(arrivals.missing(messages)).toEqual([]);
    expect(arrivals.inOrder).toBe(true);
    const statistics = connection.statistics();
    expect(statistics.packetsSendDropped).toBe(0);
    expect(statistics.sendBufferPackets, "all acknowledged").toBe(0);
    if (keyLength !== undefined) expect(statistics.sendKeyRefreshes).toBeGreaterThanOrEqual(3);
    await listener.stop("SIGTERM");
    await connection.closed;
    expect(connection.closeReason).toMatchObject({ kind: "peer_shutdown", by: "peer" });
  });

  it("receives what it sends, and notices when it was killed", async () => {
    const port = await freePort();
    await using listener = transmit("file://con", `srt://127.0.0.1:${port}?mode=listener`);
    const arrivals = new Arrivals();
    await using connection = await SrtCaller.connect({
      host: "127.0.0.1",
      port,
      connectTimeoutMs: 10_000,
      idleTimeoutMs: 1500,
      handler: { onData: (payload) => arrivals.push(payload) },
    });
    const messages = makeMessages(1000);
    await pace(messages, 8_000_000, (message) => listener.process.stdin.write(message));
    await arrivals.settled(messages.length);
    expect(arrivals.missing(messages)).toEqual([]);
    await listener.stop("SIGKILL");
    await connection.closed;
    expect(connection.closeReason).toMatchObject({ kind: "idle_timeout", by: "self" });
  });

  it("is refused with a wrong passphrase, and without one", async () => {
    const port = await freePort();
    await using _listener = transmit(`srt://127.0.0.1:${port}?mode=listener&passphrase=${PASSPHRASE}`, "file://con");
    const target = { host: "127.0.0.1", port, connectTimeoutMs: 10_000 };
    await expect(SrtCaller.connect({ ...target, passphrase: "another passphrase" })).rejects.toMatchObject({
      kind: "rejected",
      rejectReason: 10,
    });
    await expect(SrtCaller.connect(target)).rejects.toMatchObject({ kind: "rejected", rejectReason: 11 });
  });
});

describe("ING2: 5 % loss and 60 ms round trip at 6 Mb/s", () => {
  const LATENCY_MS = 400;
  const SECONDS = 6;

  async function cross(options: { from: "klieg" | "libsrt"; to: "klieg" | "libsrt" }) {
    await using cleanup = new AsyncDisposableStack();
    let arrivals = new Arrivals();
    let port: number;
    if (options.to === "klieg") {
      const collector = cleanup.use(new Collector(undefined, { latencyMs: LATENCY_MS }));
      arrivals = collector.arrivals;
      port = await collector.listen();
    } else {
      port = await freePort();
      const listener = cleanup.use(
        transmit(`srt://127.0.0.1:${port}?mode=listener&latency=${LATENCY_MS}`, "file://con"),
      );
      listener.process.stdout.on("data", (bytes: Buffer) => arrivals.push(bytes));
    }
    const relay = cleanup.use(await LossyRelay.open({ targetPort: port, seed: 1, loss: 0.05, delayMs: 30 }));
    const messages = makeMessages(Math.round((6_000_000 * SECONDS) / 8 / MESSAGE_SIZE));
    if (options.from === "klieg") {
      const connection = cleanup.use(
        await SrtCaller.connect({
          host: "127.0.0.1",
          port: relay.port,
          latencyMs: LATENCY_MS,
          connectTimeoutMs: 10_000,
        }),
      );
      await pace(messages, 6_000_000, (message) => void connection.send(message));
    } else {
      const caller = cleanup.use(
        transmit("file://con", `srt://127.0.0.1:${relay.port}?latency=${LATENCY_MS}&conntimeo=10000`),
      );
      await caller.line(/SRT target connected/);
      await pace(messages, 6_000_000, (message) => caller.process.stdin.write(message));
    }
    await arrivals.settled(messages.length);
    expect(arrivals.inOrder).toBe(true);
    expect(relay.lost, "the relay really loses").toBeGreaterThan(messages.length * 0.04);
    return { missing: arrivals.missing(messages), relayed: relay.relayed / messages.length };
  }

  it("nothing is lost between libsrt and us, either way, and hardly more is sent than libsrt sends", async () => {
    const reference = await cross({ from: "libsrt", to: "libsrt" });
    const incoming = await cross({ from: "libsrt", to: "klieg" });
    const outgoing = await cross({ from: "klieg", to: "libsrt" });
    const ours = await cross({ from: "klieg", to: "klieg" });
    const all = JSON.stringify({ reference, incoming, outgoing, ours });
    expect(
      [incoming, outgoing, ours].map(({ missing }) => missing),
      all,
    ).toEqual([[], [], []]);
    for (const each of [incoming, outgoing, ours]) expect(each.relayed, all).toBeLessThan(reference.relayed * 1.05);
  });
});

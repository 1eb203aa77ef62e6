import { setImmediate } from "node:timers/promises";
import { ManualClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { describe, expect, test } from "vitest";
import type { SrtAuthoriser } from "./connection-request.ts";
import {
  type Handshake,
  HandshakeType,
  OUR_FLAGS,
  OUR_VERSION,
  parseHandshake,
  SrtFlag,
  writeHandshake,
} from "./handshake.ts";
import { SrtListener, type SrtListenerOptions } from "./listener.ts";
import { MemoryNetwork } from "./testing/memory-network.ts";

const LISTENER_PORT = 9000;
const ACCEPT_ALL: SrtAuthoriser = () => ({ handler: {} });

/** A listener, and a caller that speaks bytes. */
class Door implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly listener: SrtListener;
  /** What came back, by the port it came to. */
  readonly answers = new Map<number, Buffer[]>();

  constructor(options: Partial<SrtListenerOptions> = {}) {
    this.listener = new SrtListener({
      onConnection: ACCEPT_ALL,
      clock: this.clock,
      openPort: this.network.open,
      ...options,
    });
  }

  static async open(options?: Partial<SrtListenerOptions>): Promise<Door> {
    const door = new Door(options);
    await door.listener.listen({ port: LISTENER_PORT });
    return door;
  }

  async knock(packet: Buffer, port = 1111): Promise<Buffer[]> {
    if (!this.answers.has(port)) {
      const answers: Buffer[] = [];
      this.answers.set(port, answers);
      await this.network.open({
        host: "",
        port,
        onDatagram: (datagram) => void answers.push(datagram),
        onError: () => undefined,
      });
    }
    const answers = this.answers.get(port) as Buffer[];
    answers.length = 0;
    this.network.inject(packet, port, LISTENER_PORT);
    await this.settle();
    return [...answers];
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) {
      this.clock.advance(1);
      await setImmediate();
    }
  }

  async cookie(port = 1111): Promise<number> {
    const [answer] = await this.knock(
      handshakePacket({ version: 4, extension: 2, type: HandshakeType.induction, cookie: 0 }),
      port,
    );
    return parseHandshake(answer as Buffer).cookie;
  }

  /** The whole handshake, as a well-behaved caller. @returns the answer to the conclusion, if any */
  async call(change: Partial<Handshake> = {}, port = 1111): Promise<Handshake | undefined> {
    const [answer] = await this.knock(conclusion(await this.cookie(port), change), port);
    return answer === undefined ? undefined : parseHandshake(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close();
  }
}

const BASE: Handshake = {
  version: 5,
  encryption: 0,
  extension: 1,
  initialSequence: 1000,
  mss: 1500,
  flowWindow: 8192,
  type: HandshakeType.conclusion,
  socketId: 77,
  cookie: 0,
};
const CAPABILITIES = { version: OUR_VERSION, flags: OUR_FLAGS, receiveLatencyMs: 0, sendLatencyMs: 80 };

function handshakePacket(change: Partial<Handshake>): Buffer {
  return writeHandshake(
    { ...BASE, ...change },
    { destination: 0, timestampMicros: 5, peerAddress: "127.0.0.1", direction: "request" },
  );
}

function conclusion(cookie: number, change: Partial<Handshake> = {}): Buffer {
  return handshakePacket({ cookie, capabilities: CAPABILITIES, ...change });
}

/** The wire's type of a refusal. */
function refused(reason: number) {
  return { type: 1000 + reason };
}

test("ING2: an induction is answered with a cookie, by no more bytes than came, and nothing is kept", async () => {
  await using door = await Door.open();
  const request = handshakePacket({ version: 4, extension: 2, type: HandshakeType.induction, cookie: 0 });
  const answers = await door.knock(request);
  expect(answers).toHaveLength(1);
  expect((answers[0] as Buffer).length).toBeLessThanOrEqual(request.length);
  expect(parseHandshake(answers[0] as Buffer)).toMatchObject({ version: 5, extension: 0x4a17, type: 1 });
  expect(door.listener.statistics()).toMatchObject({ inductions: 1, halfOpenHandshakes: 0, connections: 0 });
  expect(door.clock.pending, "timers at rest").toBe(0);
});

test("ING2: a conclusion is accepted with the negotiated latency and the caller's sequence number", async () => {
  await using door = await Door.open({ latencyMs: 200, peerLatencyMs: 30 });
  const answer = await door.call({ capabilities: { ...CAPABILITIES, receiveLatencyMs: 70, sendLatencyMs: 350 } });
  expect(answer).toMatchObject({
    type: HandshakeType.conclusion,
    initialSequence: 1000,
    capabilities: { receiveLatencyMs: 350, sendLatencyMs: 70 },
  });
});

test("ING2: a cookie is worth nothing at another address, nor two minutes later", async () => {
  await using door = await Door.open();
  const cookie = await door.cookie(1111);
  expect(await door.knock(conclusion(cookie), 2222)).toEqual([]);
  expect(await door.knock(conclusion((cookie ^ 1) >>> 0), 1111)).toEqual([]);
  door.clock.advance(120_000);
  expect(await door.knock(conclusion(cookie), 1111)).toEqual([]);
  expect(door.listener.statistics()).toMatchObject({ badCookies: 3, connectionsAccepted: 0, halfOpenHandshakes: 0 });
});

test("ING2: a repeated conclusion gets the same answer and makes no second connection", async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  await using door = await Door.open({
    onConnection: async () => {
      asked++;
      await promise;
      return { handler: {} };
    },
  });
  const packet = conclusion(await door.cookie());
  expect(await door.knock(packet)).toEqual([]);
  expect(await door.knock(packet), "while the authoriser is thinking").toEqual([]);
  resolve();
  await door.settle();
  const first = parseHandshake((door.answers.get(1111) as Buffer[])[0] as Buffer);
  const [again] = await door.knock(packet);
  expect(parseHandshake(again as Buffer)).toEqual(first);
  expect(asked).toBe(1);
  expect(door.listener.statistics()).toMatchObject({ connections: 1, connectionsAccepted: 1 });
});

describe("ING2: what cannot be served is refused with libsrt's reason", () => {
  const cases: [string, Partial<Handshake>, number][] = [
    ["HSv4", { version: 4, extension: 2 }, 8],
    ["an SRT older than HSv5", { capabilities: { ...CAPABILITIES, version: 0x010205 } }, 8],
    ["stream API", { capabilities: { ...CAPABILITIES, flags: OUR_FLAGS | SrtFlag.stream } }, 12],
    ["another congestion controller", { congestion: "file" }, 13],
    ["an MSS without room for media", { mss: 100 }, 4],
  ];
  for (const [name, change, reason] of cases) {
    test(name, async () => {
      await using door = await Door.open();
      expect(await door.call(change)).toMatchObject(refused(reason));
      expect(door.listener.statistics()).toMatchObject({ connections: 0, connectionsRejected: 1 });
    });
  }

  test("no handshake extension", async () => {
    await using door = await Door.open();
    const [answer] = await door.knock(handshakePacket({ cookie: await door.cookie() }));
    expect(parseHandshake(answer as Buffer)).toMatchObject(refused(4));
  });

  for (const [name, type, reason] of [
    ["packet filter", 7, 14],
    ["group", 8, 15],
  ] as const) {
    test(name, async () => {
      await using door = await Door.open();
      const extension = Buffer.from([0, type, 0, 2, 0x63, 0x65, 0x66, 0, 0, 0, 0, 0]);
      const [answer] = await door.knock(Buffer.concat([conclusion(await door.cookie()), extension]));
      expect(parseHandshake(answer as Buffer)).toMatchObject(refused(reason));
    });
  }

  test("rendezvous", async () => {
    await using door = await Door.open();
    const [answer] = await door.knock(handshakePacket({ type: HandshakeType.waveAHand }));
    expect(parseHandshake(answer as Buffer)).toMatchObject(refused(4));
  });

  test("encryption where none is expected", async () => {
    await using door = await Door.open();
    const keyMaterial = Buffer.from(`12202901${"00".repeat(4)}02000200${"0000"}0404${"11".repeat(40)}`, "hex");
    expect(await door.call({ keyMaterial, encryption: 2 })).toMatchObject(refused(11));
  });
});

test("ING4: the authoriser's KliegError becomes its row's SRT code, anything else 1500; the answer is repeated", async () => {
  const errors: string[] = [];
  await using door = await Door.open({
    onConnection: ({ streamId }) => {
      if (streamId === "revoked") throw new KliegError("stream_key_revoked", "This key was revoked.");
      throw new Error("database on fire");
    },
    onError: (error) => void errors.push(error.message),
  });
  const packet = conclusion(await door.cookie(), { streamId: "revoked" });
  for (let turn = 0; turn < 3; turn++) {
    const [answer] = await door.knock(packet);
    expect(parseHandshake(answer as Buffer)).toMatchObject(refused(1403));
  }
  expect(door.listener.statistics()).toMatchObject({ connectionsRejected: 1, halfOpenHandshakes: 1 });
  expect(await door.call({ streamId: "x" }, 2222)).toMatchObject(refused(1500));
  expect(errors).toEqual(["database on fire"]);
  door.clock.advance(6000);
  expect(door.listener.statistics().halfOpenHandshakes).toBe(0);
  expect(door.clock.pending, "timers at rest").toBe(0);
});

test("ING4: a handler that closes in onOpen refuses the caller, with its error's code", async () => {
  const sent: number[] = [];
  await using door = await Door.open({
    onConnection: ({ streamId }) => ({
      handler: {
        onOpen(connection) {
          if (streamId === "throws") throw new KliegError("conflict", "Somebody else publishes.");
          const error = streamId === "coded" ? { error: new KliegError("stopped_by_owner", "Stopped.") } : {};
          void connection.close({ kind: "owner", by: "owner", message: "no", ...error });
        },
      },
    }),
  });
  door.network.filter = (datagram, from) => {
    if (from === LISTENER_PORT) sent.push(datagram.readUInt16BE(0));
    return true;
  };
  expect(await door.call({ streamId: "throws" }, 1)).toMatchObject(refused(1409));
  expect(await door.call({ streamId: "coded" }, 2)).toMatchObject(refused(1410));
  expect(await door.call({ streamId: "plain" }, 3)).toMatchObject(refused(7));
  expect(new Set(sent), "nothing but handshakes").toEqual(new Set([0x8000]));
  expect(door.listener.statistics()).toMatchObject({ connections: 0, connectionsAccepted: 0, connectionsRejected: 3 });
});

test("ING2: the stream id, the address and the latency wished for reach the authoriser", async () => {
  const requests: unknown[] = [];
  await using door = await Door.open({
    onConnection: (request) => {
      requests.push(request);
      return { handler: {} };
    },
  });
  await door.call({ streamId: "#!::r=demo,m=publish,u=KEY" });
  expect(requests).toEqual([
    {
      streamId: "#!::r=demo,m=publish,u=KEY",
      remoteAddress: "127.0.0.1",
      remotePort: 1111,
      encryption: undefined,
      peerVersion: OUR_VERSION,
      latencyMs: 80,
    },
  ]);
});

test("SEC5: handshakes are limited by address, by their number under way and by connections", async () => {
  {
    await using door = await Door.open({ limits: { perAddressBurst: 2, perAddressPerMinute: 60 } });
    expect(await door.call({}, 1)).toMatchObject({ type: -1 });
    expect(await door.call({}, 2)).toMatchObject({ type: -1 });
    expect(await door.call({}, 3)).toMatchObject(refused(1402));
    door.clock.advance(1000);
    expect(await door.call({}, 3)).toMatchObject({ type: -1 });
  }
  {
    await using door = await Door.open({
      limits: { maxHalfOpen: 2 },
      onConnection: () => new Promise(() => undefined),
    });
    expect(await door.call({}, 1)).toBeUndefined();
    expect(await door.call({}, 2)).toBeUndefined();
    expect(await door.call({}, 3)).toMatchObject(refused(5));
    expect(door.listener.statistics().halfOpenHandshakes).toBe(2);
  }
  {
    await using door = await Door.open({ limits: { maxConnections: 1 } });
    expect(await door.call({}, 1)).toMatchObject({ type: -1 });
    expect(await door.call({}, 2)).toMatchObject(refused(1503));
  }
});

test("SEC5: an authoriser that never answers leaves nothing behind", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using door = await Door.open({
    onConnection: async () => {
      await promise;
      return { handler: {} };
    },
  });
  await door.call();
  door.clock.advance(6000);
  expect(door.listener.statistics().halfOpenHandshakes).toBe(0);
  resolve();
  await door.settle();
  expect(door.listener.statistics()).toMatchObject({ connections: 0, connectionsRejected: 1 });
});

test("SEC5: packets for unknown sockets, from wrong addresses and without sense are counted and dropped", async () => {
  const received: Buffer[] = [];
  await using door = await Door.open({
    onConnection: () => ({ handler: { onData: (payload) => void received.push(payload) } }),
  });
  const answer = (await door.call()) as Handshake;
  const data = Buffer.alloc(16 + 188);
  data.writeUInt32BE(1000, 0);
  data.writeUInt32BE(0xc000_0001, 4);
  data.writeUInt32BE(answer.socketId ^ 1, 12);
  await door.knock(data);
  data.writeUInt32BE(answer.socketId, 12);
  await door.knock(data, 2222);
  await door.knock(Buffer.alloc(15));
  await door.knock(Buffer.alloc(0));
  await door.knock(Buffer.alloc(16));
  door.clock.advance(500);
  expect(received).toEqual([]);
  expect(door.listener.statistics()).toMatchObject({
    datagramsUnknownSocket: 1,
    datagramsWrongAddress: 1,
    datagramsMalformed: 3,
    connections: 1,
  });
  data.writeUInt32BE(5, 8);
  await door.knock(data);
  door.clock.advance(500);
  expect(received).toHaveLength(1);
});

test("ING2: a listener that was never opened, or could not bind, closes", async () => {
  await new SrtListener({ onConnection: ACCEPT_ALL }).close();
  await using first = new SrtListener({ onConnection: ACCEPT_ALL });
  await first.listen({ port: 0, host: "127.0.0.1" });
  const second = new SrtListener({ onConnection: ACCEPT_ALL });
  await expect(second.listen({ port: first.port, host: "127.0.0.1" })).rejects.toMatchObject({ kind: "socket" });
  await second.close();
});

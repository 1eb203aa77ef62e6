import { ManualClock } from "@klieg/base";
import { defineFuzzTarget, type FuzzRandom } from "@klieg/base/fuzz";
import { SrtConnection, type SrtConnectionHost } from "./connection.ts";
import { ConnectionKeys, DEFAULT_KEY_REFRESH } from "./connection-keys.ts";
import { DEFAULT_CONNECTION_OPTIONS } from "./connection-options.ts";
import type { DatagramPort } from "./datagram-port.ts";
import { HandshakeType, MalformedHandshakeError, OUR_FLAGS, parseHandshake, writeHandshake } from "./handshake.ts";
import { MalformedKeyMaterialError, parseKeyMaterial } from "./key-material.ts";
import { DEFAULT_HANDSHAKE_LIMITS, ListenerHandshakes } from "./listener-handshakes.ts";
import { ControlType, writeControlHeader, writeDataHeader } from "./packet.ts";
import { Scheduler } from "./scheduler.ts";

const SOCKET_ID = 0x1234;
const INITIAL_SEQUENCE = 0x7fff_fff0;
const PASSPHRASE = "a passphrase";

const { request } = await ConnectionKeys.generate(PASSPHRASE, 16);

function conclusion(): Buffer {
  return writeHandshake(
    {
      version: 5,
      encryption: 2,
      extension: 7,
      initialSequence: INITIAL_SEQUENCE,
      mss: 1500,
      flowWindow: 8192,
      type: HandshakeType.conclusion,
      socketId: 99,
      cookie: 0x01020304,
      capabilities: { version: 0x010501, flags: OUR_FLAGS, receiveLatencyMs: 120, sendLatencyMs: 120 },
      keyMaterial: request,
      streamId: "#!::r=demo,m=publish,u=KEY",
      congestion: "live",
    },
    { destination: 0, timestampMicros: 7, peerAddress: "127.0.0.1", direction: "request" },
  );
}

function induction(): Buffer {
  return writeHandshake(
    {
      version: 4,
      encryption: 0,
      extension: 2,
      initialSequence: INITIAL_SEQUENCE,
      mss: 1500,
      flowWindow: 8192,
      type: HandshakeType.induction,
      socketId: 99,
      cookie: 0,
    },
    { destination: 0, timestampMicros: 7, peerAddress: "127.0.0.1", direction: "request" },
  );
}

function data(sequence: number, field: number, payload: string): Buffer {
  const packet = Buffer.alloc(16 + payload.length);
  writeDataHeader(packet, (INITIAL_SEQUENCE + sequence) & 0x7fff_ffff, 1, 0, sequence * 1000, SOCKET_ID);
  packet.writeUInt32BE((packet.readUInt32BE(4) | field) >>> 0, 4);
  packet.write(payload, 16);
  return packet;
}

function control(type: number, info: number, words: number[], subtype = 0): Buffer {
  const packet = Buffer.alloc(16 + words.length * 4);
  writeControlHeader(packet, type, subtype, info, 9000, SOCKET_ID);
  for (const [index, word] of words.entries()) packet.writeUInt32BE(word >>> 0, 16 + index * 4);
  return packet;
}

/** Datagrams one after the other, each behind its length and the ms that pass before it. */
function join(datagrams: readonly Buffer[]): Uint8Array {
  return Buffer.concat(
    datagrams.flatMap((datagram) => {
      const head = Buffer.alloc(3);
      head.writeUInt16BE(datagram.length, 0);
      head[2] = 7;
      return [head, datagram];
    }),
  );
}

function* split(input: Uint8Array): Generator<{ pauseMs: number; datagram: Buffer }> {
  const bytes = Buffer.from(input);
  for (let at = 0; at + 3 <= bytes.length; ) {
    const size = bytes.readUInt16BE(at);
    yield { pauseMs: bytes[at + 2] as number, datagram: Buffer.from(bytes.subarray(at + 3, at + 3 + size)) };
    at += 3 + size;
  }
}

/** A host whose port swallows everything, and how much that was. */
function host(clock: ManualClock): SrtConnectionHost & { sentBytes: number } {
  const swallowing = { sentBytes: 0 };
  const port: DatagramPort = {
    localAddress: "127.0.0.1",
    localPort: 1,
    sendFailures: 0,
    send(_packet, length) {
      swallowing.sentBytes += length;
      return true;
    },
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return Object.assign(swallowing, { port, scheduler: new Scheduler(clock), onClosed: () => undefined });
}

const conversation = [
  data(0, 0, "one"),
  data(2, 0x0400_0000, "three"),
  data(1, 0, "two"),
  data(20, 0, "past the wrap"),
  data(21, 0x0800_0000, "even key"),
  data(22, 0x1000_0000, "odd key"),
  control(ControlType.ack, 1, [INITIAL_SEQUENCE + 3, 20_000, 5000, 100, 700, 9000, 900_000]),
  control(ControlType.ack, 0, [INITIAL_SEQUENCE + 4]),
  control(ControlType.ackAck, 1, [0]),
  control(ControlType.nak, 0, [INITIAL_SEQUENCE + 5, (INITIAL_SEQUENCE + 6) | 0x8000_0000, INITIAL_SEQUENCE + 9]),
  control(ControlType.dropRequest, 0, [INITIAL_SEQUENCE + 3, 2]),
  control(ControlType.keepAlive, 0, [0]),
  control(ControlType.userDefined, 0, [...new Uint32Array(10)], 3),
  control(ControlType.userDefined, 0, [4], 4),
];

/** Feeds a conversation to a connection that also sends; what it hands up must stay in order. */
function converse(input: Uint8Array, random: FuzzRandom, keys: ConnectionKeys | undefined): number {
  const clock = new ManualClock();
  const swallowing = host(clock);
  let closed = 0;
  const connection = new SrtConnection(
    {
      socketId: SOCKET_ID,
      peerSocketId: 99,
      remoteAddress: "127.0.0.1",
      remotePort: 1111,
      streamId: "",
      peerVersion: 0x010501,
      peerFlags: OUR_FLAGS,
      initialSequence: INITIAL_SEQUENCE,
      receiveLatencyMs: 20,
      sendLatencyMs: 20,
      maxPayload: 1456,
      flowWindow: 64,
      peerTimestamp: 0,
      peerArrivalMicros: 0,
      startMicros: 0,
      keys,
    },
    {
      ...DEFAULT_CONNECTION_OPTIONS,
      delivery: random.oneIn(2) ? "prompt" : "paced",
      tooLateDrop: !random.oneIn(4),
      maxReorderTolerance: random.below(8),
      receiveBufferPackets: 64,
      sendBufferPackets: 64,
    },
    { onClose: () => void closed++ },
    swallowing,
  );
  connection.open(true);
  for (const { pauseMs, datagram } of split(input)) {
    clock.advance(pauseMs);
    connection.send(Buffer.alloc(100));
    // The listener's own checks come before the connection's.
    if (datagram.length >= 16) connection.handlePacket(datagram, clock.now() * 1000);
    const { receiveBufferPackets, sendBufferPackets, packetsMissing } = connection.statistics();
    if (receiveBufferPackets > 64 || sendBufferPackets > 64 || packetsMissing > 64) throw new Error("out of bounds");
  }
  void connection.close();
  clock.advance(10_000);
  if (closed !== 1) throw new Error(`closed ${closed} times`);
  if (clock.pending !== 0) throw new Error("a timer is left");
  return swallowing.sentBytes;
}

const sharedKeys = await ConnectionKeys.accept(request, PASSPHRASE);

/** Each datagram may be answered by a few of at most an MTU; timers add some for each of the 256 ms that may pass. */
const maxOutputBytes = (inputBytes: number) => 1_000_000 + inputBytes * 4096;

export const fuzzTargets = [
  defineFuzzTarget({
    name: "srt-handshake",
    corpus: () => [conclusion(), induction()],
    run: (input) => {
      const handshake = parseHandshake(Buffer.from(input));
      return (handshake.streamId?.length ?? 0) + (handshake.keyMaterial?.length ?? 0);
    },
    isExpectedError: (error) => error instanceof MalformedHandshakeError,
  }),
  defineFuzzTarget({
    name: "srt-key-material",
    corpus: () => [request],
    run: (input) => parseKeyMaterial(Buffer.from(input)).wrapped.length,
    isExpectedError: (error) => error instanceof MalformedKeyMaterialError,
  }),
  defineFuzzTarget({
    name: "srt-listener-handshakes",
    corpus: () => [join([induction(), conclusion(), conclusion()])],
    run: (input) => {
      const clock = new ManualClock();
      const swallowing = host(clock);
      const connections = new Map<number, SrtConnection>();
      let answer = Buffer.alloc(0);
      const { send } = swallowing.port;
      swallowing.port.send = (packet, length, port, address) => {
        answer = Buffer.from(packet.subarray(0, length));
        return send(packet, length, port, address);
      };
      const handshakes = new ListenerHandshakes({
        authorise: () => new Promise(() => undefined),
        connection: DEFAULT_CONNECTION_OPTIONS,
        keyRefresh: DEFAULT_KEY_REFRESH,
        limits: { ...DEFAULT_HANDSHAKE_LIMITS, maxHalfOpen: 3 },
        host: swallowing,
        connections,
        wall: () => clock.wall(),
        onError: () => undefined,
      });
      handshakes.handlePacket(induction(), 0, 1111, "127.0.0.1");
      const { cookie } = parseHandshake(answer);
      for (const { pauseMs, datagram } of split(input)) {
        clock.advance(pauseMs);
        // Past the cookie, or nothing behind it would be reached.
        if (datagram.length >= 48) datagram.writeUInt32BE(cookie, 44);
        const before = swallowing.sentBytes;
        handshakes.handlePacket(datagram, clock.now() * 1000, 1111, "127.0.0.1");
        if (swallowing.sentBytes - before > Math.max(datagram.length, 64)) throw new Error("amplification");
        if (handshakes.halfOpen > 3) throw new Error("too many half-open handshakes");
      }
      handshakes.close();
      if (clock.pending !== 0) throw new Error("a timer is left");
      return 0;
    },
    isExpectedError: () => false,
  }),
  defineFuzzTarget({
    name: "srt-connection",
    corpus: () => [join(conversation)],
    run: (input, random) => converse(input, random, undefined),
    isExpectedError: () => false,
    maxOutputBytes,
  }),
  defineFuzzTarget({
    name: "srt-connection-encrypted",
    corpus: () => [join(conversation), join([control(ControlType.userDefined, 0, words(request), 3), ...conversation])],
    // The keys are shared between runs: making them takes longer than all the rest.
    run: (input, random) => converse(input, random, sharedKeys),
    isExpectedError: () => false,
    maxOutputBytes,
  }),
];

function words(message: Buffer): number[] {
  return Array.from({ length: message.length / 4 }, (_, index) => message.readUInt32BE(index * 4));
}

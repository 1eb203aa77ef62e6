import { defineFuzzTarget } from "@klieg/base/fuzz";
import { splitAggregate } from "./aggregate.ts";
import { AmfEcmaArray, AmfTypedObject, type AmfValue, AmfXml, amfObject, amfRecord } from "./amf-value.ts";
import { decodeAmf0 } from "./amf0-decode.ts";
import { encodeAmf0 } from "./amf0-encode.ts";
import { Amf3Reader } from "./amf3-decode.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { readCommand, readValues } from "./command.ts";
import { readCapabilities, SERVER_CAPABILITIES, writeCapabilities } from "./enhanced.ts";
import { ClientHandshake, ServerHandshake } from "./handshake.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";
import { splitName } from "./stream-name.ts";

const isExpectedError = (error: unknown) => error instanceof RtmpProtocolError;
const MAX_PARTIAL = 1 << 20;

function chunks(chunkSize: number): Buffer {
  const parts: Buffer[] = [];
  const writer = new ChunkWriter();
  const send = (id: number, type: number, timestamp: number, body: Buffer) =>
    writer.write(id, type, 1, timestamp, body, (part) => parts.push(part));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(chunkSize);
  send(2, MESSAGE.setChunkSize, 0, size);
  writer.chunkSize = chunkSize;
  send(3, MESSAGE.commandAmf0, 0, encodeAmf0("connect", 1, amfObject({ app: "live" })));
  send(6, MESSAGE.video, 0, Buffer.alloc(300, 1));
  send(5, MESSAGE.audio, 7, Buffer.alloc(40, 2));
  send(6, MESSAGE.video, 0x1000000, Buffer.alloc(300, 3));
  send(6, MESSAGE.video, 0x1000021, Buffer.alloc(300, 4));
  send(2, MESSAGE.abort, 0, Buffer.from([0, 0, 0, 6]));
  return Buffer.concat(parts);
}

/** Values that a consumer would meet when it walks the result, each reference followed. */
function weigh(value: AmfValue): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + weigh(item), 1);
  if (typeof value === "string") return 1 + value.length;
  if (Buffer.isBuffer(value)) return 1 + value.length;
  return Object.values(amfRecord(value) ?? {}).reduce<number>((sum, item) => sum + weigh(item), 1);
}

const amf0Samples = [
  encodeAmf0(
    "connect",
    1,
    amfObject({ app: "live", tcUrl: "rtmp://h/live", ...writeCapabilities(SERVER_CAPABILITIES) }),
  ),
  encodeAmf0("@setDataFrame", "onMetaData", new AmfEcmaArray(amfObject({ width: 1, a: true, b: null, c: undefined }))),
  encodeAmf0([
    1,
    "a",
    new Date(0),
    new AmfXml("<a/>"),
    new AmfTypedObject("T", amfObject({ x: amfObject({ y: [] }) })),
  ]),
  Buffer.from("0a0000000203000161003ff0000000000000000009070001", "hex"),
  Buffer.from("110a0b010362040201", "hex"),
];
const amf3Samples = [
  "090901 0a1303540378 0401 0a010402 0602 0a02",
  "09030361040501 0407",
  "0d0500ffffffff00000002",
  "0f03003ff8000000000000",
  "10030001 0401",
  "11030006036b 0401",
  "0c050102 08010000000000000000",
  "00000000 0a0b010362 04ffffffff 01",
].map((hex) => Buffer.from(hex.replaceAll(" ", ""), "hex"));

export const fuzzTargets = [
  defineFuzzTarget({
    name: "rtmp-server-handshake",
    corpus: () => {
      const samples: Buffer[] = [Buffer.concat([Buffer.of(3), Buffer.alloc(3072, 1)])];
      for (const scheme of [0, 1] as const) {
        new ClientHandshake({ digest: true, scheme }).begin((c0c1) =>
          samples.push(Buffer.concat([c0c1, Buffer.alloc(1536)])),
        );
      }
      return samples;
    },
    run: (input, random) => {
      const handshake = new ServerHandshake();
      let sent = 0;
      feed(Buffer.from(input), random, (piece) => {
        if (!handshake.done) handshake.push(piece, 0, (bytes) => (sent += bytes.length));
      });
      return sent;
    },
    isExpectedError,
    maxOutputBytes: () => 3073,
  }),
  defineFuzzTarget({
    name: "rtmp-client-handshake",
    corpus: () => [Buffer.concat([Buffer.of(3), Buffer.alloc(3072, 1)]), Buffer.of(6)],
    run: (input, random) => {
      const handshake = new ClientHandshake({ digest: random.oneIn(2) });
      let sent = 0;
      handshake.begin(() => undefined);
      feed(Buffer.from(input), random, (piece) => {
        if (!handshake.done) handshake.push(piece, 0, (bytes) => (sent += bytes.length));
      });
      return sent;
    },
    isExpectedError,
    maxOutputBytes: () => 1536,
  }),
  defineFuzzTarget({
    name: "rtmp-chunks",
    corpus: () => [chunks(128), chunks(1), chunks(65536), Buffer.from("04ffffff00012c090100000001000010", "hex")],
    run: (input, random) => {
      let delivered = 0;
      const halting = random.oneIn(4);
      const reader: ChunkReader = new ChunkReader(
        {
          maxChunkSize: 0x7fffffff,
          maxChunkStreams: 8,
          maxPartialBytes: MAX_PARTIAL,
          maxMessageLength: () => MAX_PARTIAL,
        },
        (message) => {
          delivered += message.body.length;
          if (halting) reader.halt();
        },
      );
      feed(Buffer.from(input), random, (piece) => {
        for (let at = 0; at < piece.length || reader.pending; ) at += reader.push(piece.subarray(at));
      });
      if (delivered > input.length) throw new Error(`${delivered} bytes delivered of ${input.length}`);
      return reader.partialBytes;
    },
    isExpectedError,
    maxOutputBytes: () => MAX_PARTIAL,
  }),
  defineFuzzTarget({
    name: "rtmp-amf0",
    corpus: () => amf0Samples,
    run: (input) => decodeAmf0(Buffer.from(input)).reduce<number>((sum, value) => sum + weigh(value), 0),
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "rtmp-amf3",
    corpus: () => amf3Samples,
    run: (input) => {
      const reader = new Amf3Reader(Buffer.from(input));
      let weight = 0;
      while (!reader.atEnd) weight += weigh(reader.value());
      return weight;
    },
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "rtmp-commands",
    corpus: () => amf0Samples.map((sample) => Buffer.concat([Buffer.of(MESSAGE.commandAmf3, 0), sample])),
    run: (input) => {
      const [type = 0, ...rest] = input;
      const message: RtmpMessage = { type, messageStreamId: 0, timestamp: 0, body: Buffer.from(rest) };
      readValues(message);
      const command = readCommand(message);
      const capabilities = readCapabilities(amfRecord(command.values[0]) ?? {});
      const { name, query } = splitName(command.name);
      return name.length + [...query].length + Object.keys(capabilities.video).length + capabilities.fourCcList.length;
    },
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "rtmp-aggregate",
    corpus: () => [
      Buffer.from(`090000010000000000000001${"00".repeat(4)}080000020000170000000102${"00".repeat(5)}`, "hex"),
    ],
    run: (input) => {
      let delivered = 0;
      splitAggregate(
        { type: MESSAGE.aggregate, messageStreamId: 1, timestamp: 5, body: Buffer.from(input) },
        ({ body }) => {
          delivered += body.length;
        },
      );
      return delivered;
    },
    isExpectedError,
  }),
];

/** Hands the input on whole, or cut into random pieces. */
function feed(
  input: Buffer,
  random: { oneIn(n: number): boolean; below(n: number): number },
  push: (piece: Buffer) => void,
): void {
  const whole = random.oneIn(3);
  for (let at = 0; at < input.length; ) {
    const end = whole ? input.length : Math.min(input.length, at + 1 + random.below(64));
    push(input.subarray(at, end));
    at = end;
  }
}

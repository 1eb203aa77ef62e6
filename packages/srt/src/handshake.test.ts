import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeSwappedText,
  encodeSwappedText,
  HandshakeType,
  MalformedHandshakeError,
  parseHandshake,
  writeHandshake,
} from "./handshake.ts";

const word = fc.nat(0xffff_ffff);
const text = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  .filter((value) => !value.includes("\0") && value.isWellFormed());

test("ING2: a conclusion survives writing and reading with all its extensions", () => {
  const handshake = fc.record(
    {
      version: fc.constant(5),
      encryption: fc.constantFrom(0, 2, 3, 4),
      extension: fc.nat(7),
      initialSequence: fc.nat(0x7fff_ffff),
      mss: word,
      flowWindow: word,
      type: fc.constant(HandshakeType.conclusion),
      socketId: word,
      cookie: word,
      capabilities: fc.record({
        version: word,
        flags: word,
        receiveLatencyMs: fc.nat(0xffff),
        sendLatencyMs: fc.nat(0xffff),
      }),
      keyMaterial: fc.uint8Array({ minLength: 1, maxLength: 30 }).map((bytes) => Buffer.alloc(bytes.length * 4, bytes)),
      streamId: text,
      congestion: text,
    },
    {
      requiredKeys: [
        "version",
        "encryption",
        "extension",
        "initialSequence",
        "mss",
        "flowWindow",
        "type",
        "socketId",
        "cookie",
      ],
    },
  );
  fc.assert(
    fc.property(handshake, fc.constantFrom("request" as const, "response" as const), (value, direction) => {
      const packet = writeHandshake(value, {
        destination: 0,
        timestampMicros: 0,
        peerAddress: "192.0.2.1",
        direction,
      });
      expect(parseHandshake(packet)).toEqual(value);
    }),
  );
});

test("ING2: extension text is swapped word by word, as the draft's section 3.2.1.3 shows", () => {
  expect(encodeSwappedText("STREAM").toString("hex")).toBe("45525453000 04d41".replace(" ", ""));
  expect(decodeSwappedText(Buffer.from("4552545300004d41", "hex"))).toBe("STREAM");
  expect(() => encodeSwappedText("x".repeat(513))).toThrow(RangeError);
});

test("ING2: lengths that do not fit are malformed", () => {
  const packet = writeHandshake(
    {
      version: 5,
      encryption: 0,
      extension: 5,
      initialSequence: 1,
      mss: 1500,
      flowWindow: 8192,
      type: HandshakeType.conclusion,
      socketId: 7,
      cookie: 9,
      streamId: "hello",
    },
    { destination: 0, timestampMicros: 0, peerAddress: "192.0.2.1", direction: "request" },
  );
  for (let size = 0; size < packet.length; size++) {
    if (size === 64) continue;
    expect(() => parseHandshake(packet.subarray(0, size)), `${size} bytes`).toThrow(MalformedHandshakeError);
  }
  const long = Buffer.from(packet);
  long.writeUInt16BE(3, 66);
  expect(() => parseHandshake(long)).toThrow(MalformedHandshakeError);
});

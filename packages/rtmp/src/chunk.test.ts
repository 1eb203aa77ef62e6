import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkReader, type ChunkReaderLimits } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

const LIMITS: ChunkReaderLimits = {
  maxChunkSize: 0x7fffffff,
  maxChunkStreams: 8,
  maxPartialBytes: 1 << 20,
  maxMessageLength: () => 1 << 19,
};

const bytes = (...parts: (string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part.replaceAll(" ", ""), "hex") : part)));

/** Reads the bytes in pieces of `step`; all at once by default. */
function readAll(data: Buffer, step = data.length, limits = LIMITS): RtmpMessage[] {
  const messages: RtmpMessage[] = [];
  const reader = new ChunkReader(limits, (message) => messages.push(message));
  for (let at = 0; at < data.length; at += step) reader.push(data.subarray(at, at + step));
  expect(reader.partialBytes).toBe(0);
  return messages;
}

/** Reads the bytes whole and byte by byte, which must come to the same. */
function readBothWays(data: Buffer): RtmpMessage[] {
  const whole = readAll(data);
  expect(readAll(data, 1)).toEqual(whole);
  expect(readAll(data, 3)).toEqual(whole);
  return whole;
}

const times = (messages: RtmpMessage[]) => messages.map((message) => message.timestamp);

describe("chunk streams (ING1)", () => {
  test("what is written is read, whatever the chunk size and however it arrives", () => {
    const message = fc.record({
      chunkStreamId: fc.integer({ min: 3, max: 9 }),
      type: fc.constantFrom(8, 9, 18, 20),
      messageStreamId: fc.integer({ min: 0, max: 2 }),
      timestamp: fc.oneof(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0xfffff0, max: 0x100000f }),
        fc.integer({ min: 0xfffffff0, max: 0xffffffff }),
      ),
      body: fc.uint8Array({ maxLength: 700 }).map((array) => Buffer.from(array)),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 20 }),
        fc.constantFrom(1, 7, 128, 4096, 0x7fffffff),
        fc.integer({ min: 1, max: 900 }),
        (messages, chunkSize, step) => {
          const writer = new ChunkWriter();
          const parts: Buffer[] = [];
          const size = Buffer.alloc(4);
          size.writeUInt32BE(chunkSize);
          writer.write(2, MESSAGE.setChunkSize, 0, 0, size, (part) => parts.push(part));
          writer.chunkSize = chunkSize;
          for (const { chunkStreamId, type, messageStreamId, timestamp, body } of messages) {
            writer.write(chunkStreamId, type, messageStreamId, timestamp, body, (part) => parts.push(part));
          }
          const read = readAll(Buffer.concat(parts), step).slice(1);
          expect(read).toEqual(messages.map(({ chunkStreamId: _, ...rest }) => rest));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("reads all four header types and adds up deltas", () => {
    const data = bytes(
      "03 000064 000001 08 01000000 aa", // type 0 at 100
      "43 000014 000001 08 bb", // type 1, +20
      "83 000015 cc", // type 2, +21
      "c3 dd", // type 3, +21 again
      "c3 ee",
    );
    const messages = readBothWays(data);
    expect(times(messages)).toEqual([100, 120, 141, 162, 183]);
    expect(messages.map((message) => message.body.toString("hex")).join("")).toBe("aabbccddee");
    expect(messages.every((message) => message.messageStreamId === 1 && message.type === 8)).toBe(true);
  });

  test("a type 3 message after a type 0 one adds the timestamp of that, as §5.3.1.2.4 says and ffmpeg writes", () => {
    expect(times(readBothWays(bytes("03 000017 000001 08 01000000 aa c3 bb")))).toEqual([0x17, 0x2e]);
  });

  test("knows chunk stream ids of one, two and three bytes", () => {
    const header = "000001 000001 09 01000000";
    const data = bytes(
      `3f ${header} 01`,
      `00 00 ${header} 02`,
      `00 ff ${header} 03`,
      `01 ffff ${header} 04`,
      `c0 ff 05`,
    );
    const messages = readBothWays(data);
    expect(messages.map((message) => message.body[0])).toEqual([1, 2, 3, 4, 5]);
    // 64 + 255 in three bytes is the same chunk stream as in two.
    expect(times(readBothWays(bytes(`00 ff ${header} 01`, "c1 ff00 02")))).toEqual([1, 2]);
  });

  test("puts interleaved messages together", () => {
    const audio = Buffer.alloc(200, 0xaa);
    const video = Buffer.alloc(300, 0xbb);
    const data = bytes(
      "04 000000 00012c 09 01000000",
      video.subarray(0, 128),
      "05 000000 0000c8 08 01000000",
      audio.subarray(0, 128),
      "c4",
      video.subarray(128, 256),
      "c5",
      audio.subarray(128),
      "c4",
      video.subarray(256),
    );
    expect(readBothWays(data).map(({ type, body }) => ({ type, body }))).toEqual([
      { type: 8, body: audio },
      { type: 9, body: video },
    ]);
  });

  describe("extended timestamps", () => {
    const body = Buffer.alloc(300, 0x5a);
    const header = "04 ffffff 00012c 09 01000000 01000010";

    test("are repeated in type 3 headers by encoders that follow §5.3.1.3", () => {
      const data = bytes(
        header,
        body.subarray(0, 128),
        "c4 01000010",
        body.subarray(128, 256),
        "c4 01000010",
        body.subarray(256),
      );
      expect(readBothWays(data)).toEqual([{ type: 9, messageStreamId: 1, timestamp: 0x1000010, body }]);
    });

    test("are left out there by others", () => {
      const data = bytes(header, body.subarray(0, 128), "c4", body.subarray(128, 256), "c4", body.subarray(256));
      expect(readBothWays(data)).toEqual([{ type: 9, messageStreamId: 1, timestamp: 0x1000010, body }]);
    });

    test("are told from a payload that begins like one", () => {
      const tricky = Buffer.concat([body.subarray(0, 128), bytes("010000"), Buffer.alloc(169, 1)]);
      const data = bytes(header, tricky.subarray(0, 128), "c4", tricky.subarray(128, 256), "c4", tricky.subarray(256));
      expect(readBothWays(data)[0]?.body).toEqual(tricky);
    });

    test("need not be waited for at the end of a message that has fewer than four bytes left", () => {
      const messages: RtmpMessage[] = [];
      const reader = new ChunkReader(LIMITS, (message) => messages.push(message));
      reader.push(bytes("04 ffffff 000082 09 01000000 01000010", body.subarray(0, 128), "c4 5a5a"));
      expect(messages).toHaveLength(1);
    });

    test("in deltas count as deltas, at the start of a type 3 message too", () => {
      const data = bytes(
        "04 000001 000001 09 01000000 aa",
        "44 ffffff 000001 09 01000000 bb", // +0x1000000
        "c4 01000000 cc",
      );
      expect(times(readBothWays(data))).toEqual([1, 0x1000001, 0x2000001]);
    });
  });

  test("goes on after an abort message", () => {
    const data = bytes(
      "04 000000 00012c 09 01000000",
      Buffer.alloc(128),
      "02 000000 000004 02 00000000 00000004",
      "44 000021 000001 09 ff",
    );
    const messages = readBothWays(data);
    expect(messages.map((message) => message.type)).toEqual([MESSAGE.abort, 9]);
  });

  test("wraps at 32 bits, and deltas may run backwards", () => {
    const data = bytes(
      "04 ffffff 000001 09 01000000 fffffff0 aa",
      "44 000020 000001 09 bb",
      "44 ffffff 000001 09 fffffffe cc",
    );
    expect(times(readBothWays(data))).toEqual([0xfffffff0, 0x10, 0x0e]);
  });

  test("a new chunk stream may begin with type 1, counted from 0", () => {
    expect(times(readBothWays(bytes("44 000021 000001 09 aa")))).toEqual([0x21]);
  });

  test("delivers empty messages", () => {
    expect(readBothWays(bytes("04 000000 000000 09 01000000 04 000001 000001 09 01000000 aa"))).toHaveLength(2);
  });

  test("stops after the message that asks for it and goes on from there", () => {
    const data = bytes(
      "04 ffffff 000081 09 01000000 01000010",
      Buffer.alloc(128),
      "c4 01", // the last byte: looks like the timestamp, and is not
      "04 000001 000001 08 01000000 aa",
    );
    for (let step = 1; step <= data.length; step++) {
      const messages: number[] = [];
      const reader: ChunkReader = new ChunkReader(LIMITS, (message) => {
        messages.push(message.type);
        reader.halt();
      });
      for (let at = 0; at < data.length; at += step) {
        let piece = data.subarray(at, at + step);
        while (piece.length > 0 || reader.pending) piece = piece.subarray(reader.push(piece));
      }
      expect(messages).toEqual([9, 8]);
    }
  });

  describe("refuses (ING1, SEC5)", () => {
    const refuse = (data: Buffer, code: string, limits = LIMITS) => {
      let thrown: unknown;
      try {
        readAll(data, data.length, limits);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(RtmpProtocolError);
      expect((thrown as RtmpProtocolError).code).toBe(code);
    };

    test("chunk size 0, negative, beyond the limit, or cut short", () => {
      refuse(bytes("02 000000 000004 01 00000000 00000000"), "chunk_invalid");
      refuse(bytes("02 000000 000004 01 00000000 80000000"), "chunk_invalid");
      refuse(bytes("02 000000 000004 01 00000000 00010001"), "chunk_invalid", { ...LIMITS, maxChunkSize: 65536 });
      refuse(bytes("02 000000 000003 01 00000000 000001"), "chunk_invalid");
    });

    test("a first chunk of type 2 or 3, and a message begun within another", () => {
      refuse(bytes("84 000001"), "chunk_invalid");
      refuse(bytes("c4"), "chunk_invalid");
      refuse(bytes("04 000000 00012c 09 01000000", Buffer.alloc(128), "44 000000 000001 09"), "chunk_invalid");
    });

    test("messages that are too long, before a byte of them is held", () => {
      refuse(bytes("04 000000 080001 09 01000000"), "message_too_long");
    });

    test("too many chunk streams", () => {
      refuse(
        bytes(...[3, 4, 5, 6, 7, 8, 9, 10, 11].map((id) => `0${id.toString(16)} 000000 000000 09 01000000`)),
        "too_many_chunk_streams",
      );
    });

    test("more unfinished messages than the connection may hold", () => {
      const limits = { ...LIMITS, maxPartialBytes: 1000 };
      refuse(
        bytes("04 000000 000258 09 01000000", Buffer.alloc(128), "05 000000 000258 09 01000000"),
        "partial_messages_too_large",
        limits,
      );
    });
  });
});

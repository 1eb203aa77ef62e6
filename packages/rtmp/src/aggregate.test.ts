import { expect, test } from "vitest";
import { splitAggregate } from "./aggregate.ts";
import { MESSAGE, type RtmpMessage } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

function part(type: number, timestamp: number, body: string): Buffer {
  const header = Buffer.alloc(11);
  header[0] = type;
  header.writeUIntBE(body.length, 1, 3);
  header.writeUIntBE(timestamp & 0xffffff, 4, 3);
  header[7] = timestamp >>> 24;
  return Buffer.concat([header, Buffer.from(body), Buffer.alloc(4)]);
}

function split(body: Buffer, timestamp = 1000): { type: number; timestamp: number; body: string }[] {
  const parts: { type: number; timestamp: number; body: string }[] = [];
  const onPart = (message: RtmpMessage) =>
    parts.push({ type: message.type, timestamp: message.timestamp, body: message.body.toString() });
  splitAggregate({ type: MESSAGE.aggregate, messageStreamId: 1, timestamp, body }, onPart);
  return parts;
}

test("an aggregate's messages keep their distance, from the aggregate's own timestamp on (ING1)", () => {
  const body = Buffer.concat([part(9, 0x1000000, "video"), part(8, 0x1000017, "a"), part(18, 0x1000021, "")]);
  expect(split(body)).toEqual([
    { type: 9, timestamp: 1000, body: "video" },
    { type: 8, timestamp: 1023, body: "a" },
    { type: 18, timestamp: 1033, body: "" },
  ]);
});

test("a last back pointer may be missing; bodies and headers may not", () => {
  const body = part(9, 0, "video");
  expect(split(body.subarray(0, -4))).toHaveLength(1);
  expect(() => split(body.subarray(0, 13))).toThrow(RtmpProtocolError);
  expect(() => split(body.subarray(0, 5))).toThrow(RtmpProtocolError);
  expect(() => split(part(MESSAGE.aggregate, 0, "x"))).toThrow(RtmpProtocolError);
});

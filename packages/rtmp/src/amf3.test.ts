import { describe, expect, test } from "vitest";
import { AmfEcmaArray, AmfTypedObject, AmfXml, amfObject } from "./amf-value.ts";
import { decodeAmf0 } from "./amf0-decode.ts";
import { Amf3Reader } from "./amf3-decode.ts";
import { readCommand, readValues } from "./command.ts";
import { MESSAGE } from "./message.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const read = (hex: string) => new Amf3Reader(bytes(hex)).value();

describe("AMF3 (ING1)", () => {
  test("reads every scalar", () => {
    expect(read("00")).toBeUndefined();
    expect(read("01")).toBeNull();
    expect(read("02")).toBe(false);
    expect(read("03")).toBe(true);
    expect(read("04 7f")).toBe(127);
    expect(read("04 8100")).toBe(128);
    expect(read("04 ffffffff")).toBe(-1);
    expect(read("04 bfffffff")).toBe(0x0fffffff);
    expect(read("05 3ff8000000000000")).toBe(1.5);
    expect(read("06 07 616263")).toBe("abc");
    expect(read("08 01 0000000000000000")).toEqual(new Date(0));
    expect(read("07 05 6162")).toEqual(new AmfXml("ab"));
    expect(read("0c 05 0102")).toEqual(Buffer.of(1, 2));
  });

  test("reads arrays, objects, vectors and dictionaries", () => {
    expect(read("09 05 01 04 01 04 02")).toEqual([1, 2]);
    expect(read("09 03 03 61 04 05 01 04 07")).toEqual(new AmfEcmaArray(amfObject({ a: 5, 0: 7 })));
    expect(read("0a 0b 01 03 61 04 05 01")).toEqual(amfObject({ a: 5 }));
    expect(read("0a 13 03 54 03 78 04 05")).toEqual(new AmfTypedObject("T", amfObject({ x: 5 })));
    expect(read("0d 05 00 ffffffff 00000002")).toEqual([-1, 2]);
    expect(read("0e 03 00 ffffffff")).toEqual([0xffffffff]);
    expect(read("0f 03 00 3ff8000000000000")).toEqual([1.5]);
    expect(read("10 03 00 01 04 01")).toEqual([1]);
    expect(read("11 03 00 06 03 6b 04 01")).toEqual(new AmfEcmaArray(amfObject({ k: 1 })));
  });

  test("follows references to strings, traits and objects", () => {
    // [ T{x: 1}, T{x: 2} by trait reference, the string "x" by reference, the first object by reference ]
    expect(read("09 09 01  0a 13 03 54 03 78 04 01  0a 01 04 02  06 02  0a 02")).toEqual([
      new AmfTypedObject("T", amfObject({ x: 1 })),
      new AmfTypedObject("T", amfObject({ x: 2 })),
      "x",
      new AmfTypedObject("T", amfObject({ x: 1 })),
    ]);
  });

  test("refuses cycles, externalizable objects, unknown references and what ends early", () => {
    for (const hex of [
      "09 03 01 09 00",
      "0a 07 03 54",
      "06 02",
      "09 04",
      "0a 05",
      "05 00",
      "0d ffffffff 00",
      "12",
      "06 7f 61",
    ]) {
      expect(() => read(hex), hex).toThrow(RtmpProtocolError);
    }
  });

  test("goes on in AMF0 after an AMF3 value", () => {
    expect(decodeAmf0(bytes("11 04 05 05 0101"))).toEqual([5, null, true]);
  });

  test("reads AMF3 commands with and without their leading byte", () => {
    const message = (hex: string) => ({
      type: MESSAGE.commandAmf3,
      messageStreamId: 0,
      timestamp: 0,
      body: bytes(hex),
    });
    const expected = { name: "a", transactionId: 1, values: [amfObject({ b: 2 })] };
    const amf0 = "02 0001 61 00 3ff0000000000000 11 0a 0b 01 03 62 04 02 01";
    expect(readCommand(message(`00 ${amf0}`))).toEqual(expected);
    expect(readCommand(message(amf0))).toEqual(expected);
    expect(readValues(message("03 06 03 61 04 01"))).toEqual(["a", 1]);
    expect(() => readCommand(message("00 05"))).toThrow(RtmpProtocolError);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AmfEcmaArray, AmfTypedObject, type AmfValue, AmfXml, amfObject } from "./amf-value.ts";
import { decodeAmf0 } from "./amf0-decode.ts";
import { encodeAmf0 } from "./amf0-encode.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

const { value: anyValue } = fc.letrec<{ value: AmfValue; leaf: AmfValue; values: AmfValue }>((tie) => {
  const record = fc
    .dictionary(
      fc.oneof(fc.string({ maxLength: 12 }), fc.constant("__proto__")),
      tie("value") as fc.Arbitrary<AmfValue>,
      {
        maxKeys: 5,
      },
    )
    .map((entries) => amfObject(entries));
  return {
    leaf: fc.oneof(
      fc.double(),
      fc.boolean(),
      fc.string({ unit: "grapheme" }),
      fc.constant(null),
      fc.constant(undefined),
      fc.date({ noInvalidDate: true }),
      fc.string().map((text) => new AmfXml(text)),
      fc.integer({ min: 65_530, max: 65_540 }).map((length) => "é".repeat(length / 2)),
    ) as fc.Arbitrary<AmfValue>,
    values: fc.oneof(
      record,
      record.map((values) => new AmfEcmaArray(values)),
      fc.tuple(fc.string(), record).map(([name, values]) => new AmfTypedObject(name, values)),
      fc.array(tie("value") as fc.Arbitrary<AmfValue>, { maxLength: 4 }),
    ) as fc.Arbitrary<AmfValue>,
    value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, tie("leaf"), tie("values")) as fc.Arbitrary<AmfValue>,
  };
});

function invalid(body: Buffer | string): void {
  const bytes = typeof body === "string" ? Buffer.from(body.replaceAll(" ", ""), "hex") : body;
  expect(() => decodeAmf0(bytes)).toThrow(RtmpProtocolError);
}

describe("AMF0 (ING1)", () => {
  test("what is encoded is decoded", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 4 }), (values) => {
        expect(decodeAmf0(encodeAmf0(...values))).toEqual(values);
      }),
      { numRuns: 200 },
    );
  });

  test("reads what ffmpeg sends as onMetaData", () => {
    const body = Buffer.concat([
      Buffer.from("02000a6f6e4d65746144617461", "hex"),
      Buffer.from("0800000002", "hex"),
      Buffer.from("00057769647468004094000000000000", "hex"), // width 1280
      Buffer.from("000673746572656f0101", "hex"), // stereo true
      Buffer.from("000009", "hex"),
    ]);
    expect(decodeAmf0(body)).toEqual(["onMetaData", new AmfEcmaArray(amfObject({ width: 1280, stereo: true }))]);
  });

  test("takes an ECMA array whose end marker is missing at the end of the message", () => {
    const body = Buffer.from("0800000001 0001 78 0500".replaceAll(" ", "").slice(0, -2), "hex");
    expect(decodeAmf0(body)).toEqual([new AmfEcmaArray(amfObject({ x: null }))]);
  });

  test("follows references to finished values", () => {
    // [ {a: 1}, reference to the object ]
    const body = Buffer.from("0a00000002 03 000161 003ff0000000000000 000009 070001".replaceAll(" ", ""), "hex");
    const object = amfObject({ a: 1 });
    expect(decodeAmf0(body)).toEqual([[object, object]]);
  });

  test("refuses a value that contains itself, and a reference to nothing", () => {
    invalid("0a00000001 070000");
    invalid("070000");
  });

  test("refuses references that blow up", () => {
    // Each array holds the one before it twice.
    const levels = [Buffer.from("0a00000000", "hex")];
    const body = [Buffer.from("0a00000028", "hex"), levels[0] as Buffer];
    for (let i = 1; i < 40; i++) {
      const reference = Buffer.from([0x07, 0, i]);
      body.push(Buffer.from("0a00000002", "hex"), reference, reference);
    }
    invalid(Buffer.concat(body));
  });

  test("refuses what nests too deep, ends early, or is no AMF0", () => {
    invalid(Buffer.concat([...Array<Buffer>(20).fill(Buffer.from("0a00000001", "hex")), Buffer.of(5)]));
    invalid("00 3ff0");
    invalid("02 ffff 61");
    invalid("0c ffffffff 61");
    invalid("03 0001 61 05");
    invalid("0affffffff");
    invalid("04");
    invalid("ff");
  });

  test("keeps __proto__ a name like any other", () => {
    const [value] = decodeAmf0(
      Buffer.from("03 0009 5f5f70726f746f5f5f 03 0001 61 05 000009 000009".replaceAll(" ", ""), "hex"),
    );
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  test("refuses to encode what contains itself", () => {
    const array: AmfValue[] = [];
    array.push(array);
    expect(() => encodeAmf0(array)).toThrow(RangeError);
  });
});

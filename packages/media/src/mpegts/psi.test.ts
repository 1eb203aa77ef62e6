import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { crc32Mpeg } from "./crc32.ts";
import { sectionPackets } from "./packet-writer.ts";
import { buildPat, buildPmt, parsePat, parsePmt } from "./psi.ts";
import { SectionAssembler } from "./section.ts";
import { TS_PACKET_SIZE, TsPacketHeader } from "./ts-packet.ts";

const pid = fc.integer({ min: 0x20, max: 0x1ffe });
const byte = fc.integer({ min: 0, max: 255 });
const map = fc.record({
  version: fc.integer({ min: 0, max: 31 }),
  programNumber: fc.integer({ min: 1, max: 0xffff }),
  pcrPid: pid,
  streams: fc.array(
    fc.record({
      pid,
      streamType: byte,
      descriptors: fc.array(fc.record({ tag: byte, data: fc.uint8Array({ maxLength: 12 }) }), { maxLength: 3 }),
    }),
    { maxLength: 18 },
  ),
});

describe("program specific information", () => {
  test("the CRC is CRC-32/MPEG-2", () => {
    expect(crc32Mpeg(Buffer.from("123456789"))).toBe(0x0376e6e7);
  });

  test("a program map reads as it was built", () => {
    fc.assert(
      fc.property(map, (built) => {
        expect(parsePmt(buildPmt(built))).toEqual({ ...built, current: true });
      }),
    );
  });

  test("a program association reads as it was built", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff }), pid, (programNumber, pmtPid) => {
        expect(parsePat(buildPat(1, 3, programNumber, pmtPid))?.programs).toEqual([{ programNumber, pmtPid }]);
      }),
    );
  });

  test("one flipped bit is a CRC error, or another table", () => {
    fc.assert(
      fc.property(map, fc.nat(), fc.nat(7), (built, at, bit) => {
        const section = buildPmt(built);
        const index = at % section.length;
        section[index] = (section[index] as number) ^ (1 << bit);
        if (index === 0) expect(parsePmt(section)).toBeUndefined();
        else expect(() => parsePmt(section)).toThrow(MediaError);
      }),
    );
  });

  test("too many streams for a section are refused", () => {
    const streams = Array.from({ length: 210 }, (_, i) => ({ pid: 0x100 + i, streamType: 0x1b, descriptors: [] }));
    expect(() => buildPmt({ version: 0, programNumber: 1, pcrPid: 0x100, streams })).toThrow(MediaError);
  });
});

describe("sections", () => {
  test("come back from their packets, also several that follow each other", () => {
    fc.assert(
      fc.property(fc.array(map, { minLength: 1, maxLength: 4 }), (maps) => {
        const sections = maps.map((built) => buildPmt(built));
        expect(assemble(sections.map((section) => sectionPackets(0x100, section)))).toEqual(sections);
      }),
    );
  });

  test("several share a packet, the first going on from the packet before", () => {
    const [first, second] = [buildPat(1, 0, 1, 0x100), buildPat(2, 0, 2, 0x200)];
    const payload = Buffer.concat([Uint8Array.of(0), first, second, Buffer.alloc(200, 0xff)]);
    expect(feed([[payload.subarray(0, 184), true]])).toEqual([first, second]);
    const split = [
      [Buffer.concat([Uint8Array.of(0), first.subarray(0, 5)]), true],
      [Buffer.concat([Uint8Array.of(first.length - 5), first.subarray(5), second, Uint8Array.of(0xff)]), true],
    ] as const;
    expect(feed(split)).toEqual([first, second]);
  });

  test("a pointer past the packet is passed over", () => {
    expect(feed([[Uint8Array.of(200, 1, 2, 3), true]])).toEqual([]);
  });
});

function feed(payloads: readonly (readonly [Uint8Array, boolean])[]): Uint8Array[] {
  const assembler = new SectionAssembler();
  const sections: Uint8Array[] = [];
  for (const [payload, unitStart] of payloads) {
    assembler.push(payload, 0, payload.length, unitStart, (section) => sections.push(section.slice()));
  }
  return sections;
}

function assemble(runs: readonly Uint8Array[]): Uint8Array[] {
  const header = new TsPacketHeader();
  const payloads: [Uint8Array, boolean][] = [];
  for (const run of runs) {
    for (let at = 0; at < run.length; at += TS_PACKET_SIZE) {
      expect(header.read(run, at)).toBe(true);
      payloads.push([run.subarray(header.payloadStart, header.payloadEnd), header.payloadUnitStart]);
    }
  }
  return feed(payloads);
}

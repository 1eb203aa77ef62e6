import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MediaError } from "../media-error.ts";
import { RtpPacket, rtpHeaderBytes, writeRtpHeader } from "./rtp-packet.ts";
import { sequenceDistance, unwrapRtpTimestamp, unwrapSequenceNumber } from "./rtp-unwrap.ts";
import { readSenderReports, writeSenderReport } from "./sender-report.ts";

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const fields = fc.record({
  marker: fc.boolean(),
  payloadType: fc.integer({ min: 0, max: 127 }),
  sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
  timestamp: u32,
  ssrc: u32,
  csrcs: fc.array(u32, { maxLength: 15 }),
  extensions: fc.uniqueArray(
    fc.record({ id: fc.integer({ min: 1, max: 255 }), value: fc.uint8Array({ maxLength: 40 }) }),
    { maxLength: 6, selector: ({ id }) => id },
  ),
});

describe("RTP packets (RFC 3550, RFC 8285)", () => {
  test("a header reads as it was written, in either form of extensions, with padding", () => {
    fc.assert(
      fc.property(fields, fc.uint8Array({ maxLength: 50 }), fc.nat(20), (header, payload, padding) => {
        const start = rtpHeaderBytes(header);
        const bytes = new Uint8Array(start + payload.length + padding);
        expect(writeRtpHeader(bytes, header)).toBe(start);
        bytes.set(payload, start);
        if (padding > 0) {
          bytes[0] = (bytes[0] as number) | 0x20;
          bytes[bytes.length - 1] = padding;
        }
        const packet = new RtpPacket().read(bytes);
        const { marker, payloadType, sequenceNumber, timestamp, ssrc } = packet;
        const { csrcs, extensions, ...fixed } = header;
        expect({ marker, payloadType, sequenceNumber, timestamp, ssrc }).toEqual(fixed);
        expect(packet.csrcCount).toBe(csrcs.length);
        expect(csrcs.map((_, i) => packet.csrc(i))).toEqual(csrcs);
        expect(packet.csrc(csrcs.length)).toBeUndefined();
        for (const { id, value } of extensions) expect(packet.extension(id)).toEqual(value);
        expect(packet.extension(0)).toBeUndefined();
        expect(packet.payload).toEqual(payload);
        expect(packet.payloadBytes).toBe(payload.length);
        expect(packet.payload.buffer).toBe(bytes.buffer);
      }),
    );
  });

  test("the one-byte form is passed over from id 15 on, and where an element is cut off", () => {
    const read = (block: readonly number[]) => {
      const head = Uint8Array.of(0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, block.length / 4, ...block);
      return new RtpPacket().read(head);
    };
    expect(read([0x10, 7, 0, 0x20, 8, 0, 0, 0]).extension(2)).toEqual(Uint8Array.of(8));
    expect(read([0xf0, 7, 0x20, 8]).extension(2)).toBeUndefined();
    expect(read([0x2f, 7, 0x20, 8]).extension(2)).toBeUndefined();
    // Of another profile: not ours to read.
    const other = Uint8Array.of(0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x12, 0x34, 0, 1, 0x10, 7, 0, 0, 0xaa);
    const packet = new RtpPacket().read(other);
    expect(packet.extension(1)).toBeUndefined();
    expect(packet.payload).toEqual(Uint8Array.of(0xaa));
  });

  test.each([
    ["shorter than its header", [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0]],
    ["of another version", [0x40, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]],
    ["with contributing sources cut off", [0x82, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1]],
    ["with an extension cut off", [0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 2, 0, 0, 0, 0]],
    ["with more padding than bytes", [0xa0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 5]],
    ["with padding of no bytes", [0xa0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0]],
  ])("a packet %s is refused (SEC5)", (_, bytes) => {
    expect(() => new RtpPacket().read(Uint8Array.from(bytes))).toThrow(MediaError);
  });

  test("a header that no packet can have is not written", () => {
    const header = { marker: false, payloadType: 96, sequenceNumber: 0, timestamp: 0, ssrc: 0 };
    expect(() => rtpHeaderBytes({ ...header, csrcs: new Array<number>(16).fill(0) })).toThrow(RangeError);
    expect(() => rtpHeaderBytes({ ...header, extensions: [{ id: 0, value: Uint8Array.of(1) }] })).toThrow(RangeError);
    expect(() => writeRtpHeader(new Uint8Array(11), header)).toThrow(RangeError);
  });

  test("counters go on past the wrap, in both directions", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 }), fc.integer({ min: -32_768, max: 32_767 }), (near, step) => {
        fc.pre(near + step >= 0);
        expect(unwrapSequenceNumber((near + step) % 2 ** 16, near)).toBe(near + step);
        expect(unwrapRtpTimestamp((near + step) % 2 ** 32, near)).toBe(near + step);
      }),
    );
    expect(sequenceDistance(2, 65_535)).toBe(3);
    expect(sequenceDistance(65_535, 2)).toBe(-3);
  });
});

describe("sender reports (RFC 3550 § 6.4.1)", () => {
  test("read as they were written, to a microsecond", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 2_085_978_495_000, noNaN: true }),
        fc.record({ ssrc: u32, rtpTimestamp: u32, packets: u32, bytes: u32 }),
        fc.string(),
        (ntpMs, rest, cname) => {
          const packet = writeSenderReport({ ntpMs, ...rest }, cname);
          expect(packet.length % 4).toBe(0);
          const [report, ...more] = readSenderReports(packet);
          expect(more).toEqual([]);
          expect(report).toMatchObject(rest);
          expect(Math.abs((report?.ntpMs ?? 0) - ntpMs)).toBeLessThan(0.001);
        },
      ),
    );
  });

  test("what is cut off is refused, what is another packet passed over (SEC5)", () => {
    const report = writeSenderReport({ ssrc: 1, ntpMs: 1, rtpTimestamp: 2, packets: 3, bytes: 4 }, "who");
    expect(() => readSenderReports(report.subarray(0, report.length - 1))).toThrow(MediaError);
    expect(() => readSenderReports(Uint8Array.of(0x80, 200, 0, 1, 0, 0, 0, 0))).toThrow(MediaError);
    expect(() => readSenderReports(Uint8Array.of(0x40, 200, 0, 0))).toThrow(MediaError);
    const receiverReport = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 9);
    expect(readSenderReports(Buffer.concat([receiverReport, report]))).toHaveLength(1);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessUnit, Track } from "../access-unit.ts";
import { ffmpegSample } from "../testing/ffmpeg-sample.ts";
import { MediaLog } from "../testing/media-log.ts";
import { Vp8ElementaryStream } from "../vp8/vp8-elementary-stream.ts";
import { RtpDemuxer } from "./rtp-demuxer.ts";
import { RtpPacketizer, type RtpPayloadCodec } from "./rtp-packetizer.ts";
import type { RtpStream } from "./rtp-stream.ts";
import { CODECS, fixture, MIME_TYPES, makeUnits, type UnitPlan, unitPlans } from "./testing/synthetic-units.ts";

const SSRC = 0xdeadbeef;
const PAYLOAD_TYPE = 96;

/** One packet on its way. */
interface Sent {
  readonly packet: Buffer;
  /** Which access unit it is of. */
  readonly unit: number;
}

/** The packets of access units, in the order in which they are sent. */
function packetsOf(codec: RtpPayloadCodec, units: readonly AccessUnit[], mtu: number, first = 65_500): Sent[] {
  const packetizer = new RtpPacketizer({
    codec,
    payloadType: PAYLOAD_TYPE,
    ssrc: SSRC,
    mtu,
    sequenceNumber: first,
    timestampBase: 2 ** 32 - 1_000_000,
  });
  const sent: Sent[] = [];
  units.forEach((unit, i) => {
    packetizer.push(unit, (packet) => {
      expect(packet.length).toBeLessThanOrEqual(mtu);
      sent.push({ packet: Buffer.from(packet), unit: i });
    });
  });
  return sent;
}

function receiver(codec: RtpPayloadCodec): { log: MediaLog; demuxer: RtpDemuxer; stream: RtpStream } {
  const log = new MediaLog();
  const demuxer = new RtpDemuxer(log);
  const stream = demuxer.addStream({
    id: 0,
    kind: codec === "opus" ? "audio" : "video",
    codec: {
      mimeType: MIME_TYPES[codec],
      clockRate: codec === "opus" ? 48_000 : 90_000,
      ...(codec === "opus" ? { channels: 2, parameters: { "sprop-stereo": 1 } } : {}),
    },
    payloadType: PAYLOAD_TYPE,
    ssrc: SSRC,
  });
  return { log, demuxer, stream };
}

/** What matters of an access unit, its time counted from another's. */
function digest(unit: AccessUnit, origin: number) {
  const { config, width, height, channels } = unit.track as Track & {
    width?: number;
    height?: number;
    channels?: number;
  };
  return {
    at: unit.dts - origin,
    same: unit.pts === unit.dts,
    keyframe: unit.keyframe,
    data: Buffer.from(unit.data).toString("base64"),
    track: `${unit.track.codec} ${width}x${height} ${channels} ${Buffer.from(config).toString("hex")}`,
  };
}

function expectSame(received: readonly AccessUnit[], sent: readonly AccessUnit[]): void {
  const from = received[0]?.dts ?? 0;
  const origin = sent[0]?.dts ?? 0;
  expect(received.map((unit) => digest(unit, from))).toEqual(sent.map((unit) => digest(unit, origin)));
}

/** Opus packets must not lie closer than they last, or rounding is taken out of their times. */
function spread(codec: RtpPayloadCodec, plans: readonly UnitPlan[]): UnitPlan[] {
  return plans.map((plan) => (codec === "opus" ? { ...plan, step: 1800 * (1 + (plan.step % 3)) } : plan));
}

describe.each(CODECS)("%s in RTP (ING3)", (codec) => {
  test("access units come out as they went in, whatever comes late or twice", () => {
    fc.assert(
      fc.property(
        fc.record({
          plans: unitPlans,
          mtu: fc.integer({ min: codec === "opus" ? 600 : 120, max: 1400 }),
          delays: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 60 }),
          copies: fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
        }),
        ({ plans, mtu, delays, copies }) => {
          const units = makeUnits(codec, spread(codec, plans));
          const sent = packetsOf(codec, units, mtu);
          const arrivals = sent.flatMap(({ packet }, i) => {
            const at = i + (i === 0 ? 0 : (delays[i % delays.length] as number));
            const twice = copies[i % copies.length] === 0;
            return twice
              ? [
                  { packet, at },
                  { packet, at: at + 7 },
                ]
              : [{ packet, at }];
          });
          arrivals.sort((a, b) => a.at - b.at);
          const { log, demuxer, stream } = receiver(codec);
          for (const { packet, at } of arrivals) stream.push(packet, at);
          demuxer.close();
          expect(log.warnings).toEqual([]);
          expectSame(log.units, units);
          expect(stream.statistics).toMatchObject({
            packets: arrivals.length,
            lost: 0,
            duplicates: arrivals.length - sent.length,
            accessUnits: units.length,
            droppedAccessUnits: 0,
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test("after a loss nothing comes out that a decoder could not decode, and everything that it could", () => {
    fc.assert(
      fc.property(
        fc.record({
          plans: unitPlans,
          mtu: fc.integer({ min: codec === "opus" ? 600 : 120, max: 1400 }),
          lost: fc.array(fc.nat(7), { minLength: 1, maxLength: 50 }),
        }),
        ({ plans, mtu, lost }) => {
          const units = makeUnits(codec, spread(codec, plans));
          const sent = packetsOf(codec, units, mtu);
          const isLost = sent.map((_, i) => i > 0 && lost[i % lost.length] === 0);
          const known = isLost.lastIndexOf(false);
          const whole = units.map((_, i) => sent.every(({ unit }, j) => unit !== i || isLost[j] === false));
          let decodable = false;
          const expected = units.filter(({ keyframe }, i) => {
            decodable = whole[i] === true && (keyframe || decodable);
            return decodable;
          });
          const { log, demuxer, stream } = receiver(codec);
          let asked = 0;
          stream.onKeyframeNeeded = () => {
            asked += 1;
          };
          sent.forEach(({ packet }, i) => {
            if (isLost[i] === false) stream.push(packet, i);
          });
          demuxer.close();
          expectSame(log.units, expected);
          // What is missing behind the last that came, nobody can know of.
          expect(stream.statistics.lost).toBe(isLost.slice(0, known).filter(Boolean).length);
          expect(stream.statistics.keyframeRequests).toBe(asked);
          if (codec !== "opus" && isLost.slice(0, known).includes(true)) expect(asked).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a marker that is missing does not matter: the next timestamp ends the access unit", () => {
    fc.assert(
      fc.property(unitPlans, (plans) => {
        const units = makeUnits(codec, spread(codec, plans));
        const { log, demuxer, stream } = receiver(codec);
        packetsOf(codec, units, 1200).forEach(({ packet }, i) => {
          packet.writeUInt8(packet.readUInt8(1) & 0x7f, 1);
          stream.push(packet, i);
        });
        demuxer.close();
        expect(log.warnings).toEqual([]);
        // Whether the last is whole, nobody can know. An Opus packet always is.
        expectSame(log.units, codec === "opus" ? units : units.slice(0, -1));
      }),
      { numRuns: 20 },
    );
  });
});

test("real frames of every codec come out as they went in (ING3, RTC3)", () => {
  const material: Record<RtpPayloadCodec, readonly AccessUnit[]> = {
    h264: fixture("multitrack").video(0),
    vp8: vp8Units(),
    vp9: fixture("vp9").video(0),
    av1: fixture("av1-aac").video(0),
    opus: fixture("hevc-opus").audio(0),
  };
  for (const codec of CODECS) {
    const units = material[codec].map((unit) => ({ ...unit, pts: unit.dts }));
    expect(units.length).toBeGreaterThan(5);
    expect(units[0]?.track.codec).toBe(codec);
    const { log, demuxer, stream } = receiver(codec);
    for (const { packet } of packetsOf(codec, units, 300)) stream.push(packet, 0);
    demuxer.close();
    expect(log.warnings).toEqual([]);
    expect(log.units.map(({ data }) => Buffer.from(data))).toEqual(units.map(({ data }) => Buffer.from(data)));
    expect(log.units.map(({ keyframe }) => keyframe)).toEqual(units.map(({ keyframe }) => keyframe));
    expect(log.tracks).toHaveLength(1);
    // Opus is joined in the middle: nothing is skipped at its beginning. What FLV says of VP9's level we cannot know.
    if (codec !== "opus" && codec !== "vp9") expect(log.tracks[0]).toEqual(units[0]?.track);
  }
});

/** Frames of an IVF file that FFmpeg's libvpx made. */
function vp8Units(): AccessUnit[] {
  const { bytes } = ffmpegSample("ivf", "-f lavfi -i testsrc=s=320x180:r=25 -t 1 -c:v libvpx -b:v 300k -g 10");
  const stream = new Vp8ElementaryStream(0);
  const units: AccessUnit[] = [];
  for (let at = bytes.readUInt16LE(6); at < bytes.length; ) {
    const end = at + 12 + bytes.readUInt32LE(at);
    const { data, keyframe } = stream.push(bytes.subarray(at + 12, end));
    const dts = 3600 * units.length;
    units.push({ track: stream.track as Track, dts, pts: dts, keyframe, data });
    at = end;
  }
  return units;
}

import { describe, expect, test } from "vitest";
import type { AccessUnit, VideoTrack } from "../access-unit.ts";
import { AV1_OBU } from "../av1/obu.ts";
import { MediaError } from "../media-error.ts";
import { H264_DELIMITER, H264_SETS, lengthPrefixed } from "../mpegts/testing/material.ts";
import { MediaLog } from "../testing/media-log.ts";
import { RtpDemuxer, type RtpStreamOptions } from "./rtp-demuxer.ts";
import { writeRtpHeader } from "./rtp-packet.ts";
import { RtpPacketizer, type RtpPayloadCodec } from "./rtp-packetizer.ts";
import type { RtpStream } from "./rtp-stream.ts";
import { fixture, MIME_TYPES, makeUnits } from "./testing/synthetic-units.ts";

/** A stream that is fed payload by payload. */
class Feed {
  readonly log = new MediaLog();
  readonly stream: RtpStream;
  asked = 0;
  #sequence = 0;

  constructor(codec: RtpPayloadCodec, parameters: Record<string, unknown> = {}, holdMs = 150) {
    this.stream = new RtpDemuxer(this.log, { holdMs }).addStream({
      id: 0,
      kind: codec === "opus" ? "audio" : "video",
      codec: { mimeType: MIME_TYPES[codec], clockRate: codec === "opus" ? 48_000 : 90_000, parameters },
      payloadType: 96,
    });
    this.stream.onKeyframeNeeded = () => {
      this.asked += 1;
    };
  }

  /** One packet; `marker` ends the access unit. */
  push(payload: readonly number[] | Uint8Array, timestamp: number, marker = false, nowMs = timestamp / 90): void {
    const data = new Uint8Array(12 + payload.length);
    const fields = { marker, payloadType: 96, sequenceNumber: this.#sequence, timestamp, ssrc: 5 };
    writeRtpHeader(data, fields);
    data.set(payload, 12);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.stream.push(data, nowMs);
  }

  lose(count = 1): void {
    this.#sequence = (this.#sequence + count) & 0xffff;
  }

  get data(): Uint8Array[] {
    return this.log.units.map(({ data }) => data);
  }

  get sizes(): string[] {
    return this.log.videoTracks.map(({ width, height }) => `${width}x${height}`);
  }
}

const { small, large } = H264_SETS;
const IDR = Uint8Array.of(0x65, 0x88, 1, 2, 3, 4);
const SLICE = Uint8Array.of(0x41, 0x9a, 5, 6);
const SECOND_SLICE = Uint8Array.of(0x41, 0x48, 7, 8);

function stapA(...nals: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from([0x78, ...nals.flatMap((nal) => [nal.length >> 8, nal.length & 0xff, ...nal])]);
}

describe("H.264 (RFC 6184)", () => {
  test("single NAL units (packetization mode 0), STAP-A and FU-A make one access unit", () => {
    const feed = new Feed("h264");
    feed.push(H264_DELIMITER, 0);
    feed.push(small.sps, 0);
    feed.push(small.pps, 0);
    feed.push(IDR, 0, true);
    feed.push(stapA(SLICE, SECOND_SLICE), 3000, true);
    feed.push([0x7c, 0x85, 0x88, 1], 6000);
    feed.push([0x7c, 0x05, 2, 3], 6000);
    feed.push([0x7c, 0x45, 4], 6000, true);
    expect(feed.log.warnings).toEqual([]);
    expect(feed.data).toEqual([lengthPrefixed(IDR), lengthPrefixed(SLICE, SECOND_SLICE), lengthPrefixed(IDR)]);
    expect(feed.log.units.map(({ keyframe }) => keyframe)).toEqual([true, false, true]);
    expect(feed.sizes).toEqual(["320x180"]);
    expect(feed.asked).toBe(0);
  });

  test("parameter sets come from sprop-parameter-sets too, and change in band before the keyframe", () => {
    const sprop = [small.sps, small.pps].map((set) => Buffer.from(set).toString("base64")).join(",");
    const feed = new Feed("h264", { "sprop-parameter-sets": sprop });
    feed.push(IDR, 0, true);
    feed.push(SLICE, 3000, true);
    feed.push(stapA(large.sps, large.pps), 6000);
    feed.push(IDR, 6000, true);
    expect(feed.sizes).toEqual(["320x180", "640x360"]);
    expect(feed.log.units.map(({ track }) => (track as VideoTrack).width)).toEqual([320, 320, 640]);
    expect(feed.log.warnings).toEqual([]);
  });

  test("sprop-parameter-sets that cannot be read are passed over", () => {
    const feed = new Feed("h264", { "sprop-parameter-sets": "Z2QADA==,aA==" });
    expect(feed.log.codes).toEqual(["parameters_malformed"]);
    feed.push(stapA(small.sps, small.pps), 0);
    feed.push(IDR, 0, true);
    expect(feed.sizes).toEqual(["320x180"]);
  });

  test.each([
    ["a fragment without a beginning", [0x7c, 0x05, 1, 2]],
    ["a fragment of nothing", [0x7c, 0x85]],
    ["a fragment of another NAL unit", [0x7c, 0x01, 1, 2]],
    ["an aggregate that ends within a length", [0x78, 0]],
    ["an aggregate that ends within a NAL unit", [0x78, 0, 9, 0x41]],
    ["interleaved mode", [0x79, 0, 0, 0, 2, 0x41, 0x9a]],
    ["a NAL unit of type 0", [0x00, 1]],
  ])("%s costs its access unit, and a keyframe is asked for (SEC5)", (_, payload) => {
    const feed = new Feed("h264");
    feed.push(stapA(small.sps, small.pps), 0);
    feed.push(IDR, 0, true);
    feed.push(payload, 3000, true);
    feed.push(SLICE, 6000, true);
    feed.push(stapA(small.sps, small.pps), 9000);
    feed.push(IDR, 9000, true);
    expect(feed.log.units.map(({ keyframe }) => keyframe)).toEqual([true, true]);
    expect(feed.asked).toBe(1);
    expect(feed.log.codes).toEqual(["access_unit_malformed", "access_unit_dropped"]);
    expect(feed.stream.statistics.droppedAccessUnits).toBe(2);
  });

  test("a fragment whose end is missing costs its access unit", () => {
    const feed = new Feed("h264");
    feed.push(stapA(small.sps, small.pps), 0);
    feed.push(IDR, 0, true);
    feed.push([0x7c, 0x81, 0x9a, 1], 3000, true);
    feed.push([0x7c, 0x81, 0x9a, 1], 6000);
    feed.push(SLICE, 6000, true);
    expect(feed.log.units).toHaveLength(1);
  });

  test("a keyframe behind a hole counts only where it still has its parameter sets", () => {
    const feed = new Feed("h264", {}, 0);
    feed.push(stapA(small.sps, small.pps), 0);
    feed.push(IDR, 0, true);
    feed.lose();
    // Its parameter sets, of another size perhaps, are in the hole.
    feed.push(IDR, 3000, true);
    feed.push(IDR, 6000, true);
    expect(feed.log.units).toHaveLength(2);
    expect(feed.stream.statistics).toMatchObject({ lost: 1, droppedAccessUnits: 1, keyframes: 2 });
  });

  test("a stream may begin with a message in front of the parameter sets, as GStreamer's does", () => {
    const feed = new Feed("h264");
    const message = Uint8Array.of(0x06, 5, 1, 0, 0x80);
    feed.push(message, 0);
    feed.push(stapA(small.sps, small.pps), 0);
    feed.push(IDR, 0, true);
    expect(feed.data).toEqual([lengthPrefixed(message, IDR)]);
  });

  test("a keyframe is asked for again each half second until it comes", () => {
    const feed = new Feed("h264");
    for (let ms = 0; ms < 3500; ms += 50) {
      feed.push(SLICE, ms * 90, true);
      feed.stream.tick(ms);
    }
    expect(feed.asked).toBe(7);
    feed.push(stapA(small.sps, small.pps), 3500 * 90);
    feed.push(IDR, 3500 * 90, true);
    feed.stream.tick(9000);
    expect(feed.asked).toBe(7);
  });
});

describe("VP8 (RFC 7741)", () => {
  const key = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00, 9];
  const inter = [0x11, 0, 0, 7];

  test("descriptors of every length; the picture's size changes with a keyframe", () => {
    const feed = new Feed("vp8");
    feed.push([0x10, ...key], 0, true); // nothing but S
    feed.push([0x90, 0x80, 0x05, ...inter], 3000, true); // picture id of 7 bits
    feed.push([0x90, 0xf0, 0x80, 0x05, 3, 0x61, ...inter], 6000); // all there is
    feed.push([0x81, 0x80, 0x05, 1, 2], 6000, true); // second partition
    feed.push([0x90, 0x40, 3, ...key.with(6, 0x80).with(7, 0x02)], 9000, true);
    expect(feed.log.warnings).toEqual([]);
    expect(feed.data.map((data) => data.length)).toEqual([11, 4, 6, 11]);
    expect(feed.sizes).toEqual(["320x180", "640x180"]);
    expect(feed.log.videoTracks[0]?.codecString).toBe("vp08.00.11.08");
  });

  test.each([
    ["a descriptor cut off", [0x90, 0x80]],
    ["no payload", [0x10]],
    ["a partition without its frame", [0x01, 1, 2]],
    ["a keyframe without a start code", [0x10, 0x10, 0, 0, 1, 2, 3, 4, 5, 6, 7]],
  ])("%s costs its access unit (SEC5)", (_, payload) => {
    const feed = new Feed("vp8");
    feed.push([0x10, ...key], 0, true);
    feed.push(payload, 3000, true);
    expect(feed.log.codes).toEqual(["access_unit_malformed"]);
    expect(feed.log.units).toHaveLength(1);
    expect(feed.asked).toBe(1);
  });
});

describe("VP9 (RFC 9628)", () => {
  /** Frame marker, profile 0, keyframe, shown, sync code, BT.709, 4:2:0; 320x180. */
  const key = [0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0b, 0x30, 9];
  const inter = [0x86, 1, 2];

  test("the frames of a picture make one superframe, whatever its descriptors tell of layers", () => {
    const feed = new Feed("vp9");
    // Keyframe with a scalability structure of 2 layers: 320x180 and 640x360, and a picture group.
    const structure = [0x38, 1, 64, 0, 180, 2, 128, 1, 104, 1, 0x14, 1];
    feed.push([0x8e | 0x20, 5, 0x00, 7, ...structure, ...key], 0); // I L B E V; S0
    feed.push([0xe8, 5, 0x03, 7, ...inter], 0); // I P L B; S1, predicted from S0
    feed.push([0xe4, 5, 0x03, 7, 4, 5], 0, true); // I P L E
    // An inter picture in flexible mode, with references.
    feed.push([0xfc, 6, 0x01, 3, 4, ...inter], 3000);
    feed.push([0xfc, 6, 0x03, 2, ...inter], 3000, true);
    expect(feed.log.warnings).toEqual([]);
    expect(feed.data).toEqual([
      Uint8Array.from([...key, ...inter, 4, 5, 0xc1, key.length, inter.length + 2, 0xc1]),
      Uint8Array.from([...inter, ...inter, 0xc1, 3, 3, 0xc1]),
    ]);
    expect(feed.log.units.map(({ keyframe }) => keyframe)).toEqual([true, false]);
  });

  test("without layers the frame's own size counts, and changes with a keyframe", () => {
    const feed = new Feed("vp9");
    feed.push([0x8c, 5, ...key], 0, true);
    feed.push([0x8c, 6, ...key.with(8, 0x70)], 3000, true);
    expect(feed.sizes).toEqual(["320x180", "320x184"]);
  });

  test.each([
    ["a descriptor cut off", [0x8e, 5, 0x30]],
    ["too many references", [0xfc, 6, 0x01, 3, 3, 3, 3, ...inter]],
    ["no payload", [0x8c, 5]],
    ["a frame without its beginning", [0x84, 5, 1, 2]],
    ["a frame without its end", [0x88, 5, ...inter]],
    ["no frame marker", [0x8c, 5, 0x00, 1]],
  ])("%s costs its access unit (SEC5)", (_, payload) => {
    const feed = new Feed("vp9");
    feed.push([0x8c, 5, ...key], 0, true);
    feed.push(payload, 3000, true);
    expect(feed.log.codes).toEqual(["access_unit_malformed"]);
    expect(feed.log.units).toHaveLength(1);
  });

  test("a picture of more frames than a superframe holds costs its access unit (SEC5)", () => {
    const feed = new Feed("vp9");
    for (let i = 0; i < 9; i += 1) feed.push([0x8c, 5, ...key], 0, i === 8);
    expect(feed.log.codes).toEqual(["access_unit_malformed"]);
  });
});

describe("AV1 (RTP payload format 1.0)", () => {
  const [sequence] = fixture("av1-aac").video(0);
  const unit = sequence as AccessUnit;
  /** Sequence header OBU of the fixture, without a size. */
  const sequenceObu = [AV1_OBU.SEQUENCE_HEADER << 3, ...unit.track.config.subarray(6)];
  const keyFrame = [AV1_OBU.FRAME << 3, 0x10, 1, 2];
  const interFrame = [AV1_OBU.FRAME << 3, 0x30, 3];
  const sized = (obu: readonly number[]) => [(obu[0] as number) | 2, obu.length - 1, ...obu.slice(1)];

  test("aggregates with and without lengths, fragments, and what is left out", () => {
    const feed = new Feed("av1");
    const delimiter = [AV1_OBU.TEMPORAL_DELIMITER << 3];
    // W 0: every element has a length. A delimiter, a sequence header with a size of its own, and a frame.
    const [d, s, k] = [delimiter, sized(sequenceObu), keyFrame].map((obu) => [obu.length, ...obu]);
    feed.push([0x00, ...(d as number[]), ...(s as number[]), ...(k as number[])], 0, true);
    // W 2, then one frame in three packets, of which one has the end of the one and the beginning of the other.
    feed.push([0x60, 2, 0x28, 9, ...interFrame.slice(0, 1)], 3000);
    feed.push([0xd0, ...interFrame.slice(1, 2)], 3000);
    feed.push([0xa0, 1, ...interFrame.slice(2), AV1_OBU.PADDING << 3, 0, 0], 3000, true);
    expect(feed.log.warnings).toEqual([]);
    expect(feed.data).toEqual([
      Uint8Array.from([...sized(sequenceObu), ...sized(keyFrame)]),
      Uint8Array.from([...sized([0x28, 9]), ...sized(interFrame)]),
    ]);
    expect(feed.log.tracks).toEqual([unit.track]);
  });

  test.each([
    ["an element longer than its packet", [0x00, 9, ...interFrame]],
    ["a length that never ends", [0x00, ...new Array<number>(9).fill(0xff)]],
    ["fewer elements than announced", [0x30, 3, ...interFrame]],
    ["an OBU without its beginning", [0x90, ...interFrame]],
    ["an OBU without its end", [0x50, ...interFrame]],
    ["a size that contradicts its element", [0x10, (AV1_OBU.FRAME << 3) | 2, 9, 0x30, 3]],
    ["the forbidden bit", [0x10, 0x80 | (AV1_OBU.FRAME << 3), 0x30, 3]],
  ])("%s costs its access unit (SEC5)", (_, payload) => {
    const feed = new Feed("av1");
    feed.push([0x28, sequenceObu.length, ...sequenceObu, ...keyFrame], 0, true);
    feed.push(payload, 3000, true);
    expect(feed.log.codes).toEqual(["access_unit_malformed"]);
    expect(feed.log.units).toHaveLength(1);
  });

  test("the sequence header goes before each keyframe, also where the access unit has none", () => {
    const bare = { ...unit, data: unit.data.subarray(2 + (unit.data[1] as number)) };
    const packetizer = new RtpPacketizer({ codec: "av1", payloadType: 96, ssrc: 5, sequenceNumber: 0 });
    const feed = new Feed("av1");
    for (const pts of [0, 3000]) packetizer.push({ ...bare, pts }, (packet) => feed.stream.push(packet, 0));
    expect(feed.data).toEqual([new Uint8Array(unit.data), new Uint8Array(unit.data)]);
  });
});

describe("Opus (RFC 7587)", () => {
  const mono = [0xf8, 1, 2, 3];
  const stereo = [0xfc, 1, 2, 3];
  const silence = [0xf8];

  test("silence that is left out (DTX) is a gap without a loss", () => {
    const feed = new Feed("opus");
    for (const timestamp of [0, 960, 20_160, 21_120])
      feed.push(timestamp === 960 ? silence : mono, timestamp, false, 0);
    expect(feed.log.warnings).toEqual([]);
    expect(feed.log.units.map(({ dts }) => dts - 900_000)).toEqual([0, 1800, 37_800, 39_600]);
    expect(feed.stream.statistics).toMatchObject({ lost: 0, accessUnits: 4, keyframeRequests: 0 });
  });

  test("what is lost is a gap too, and nothing else", () => {
    const feed = new Feed("opus", {}, 0);
    feed.push(mono, 0);
    feed.lose();
    feed.push(mono, 1920);
    expect(feed.log.units.map(({ dts }) => dts - 900_000)).toEqual([0, 3600]);
    expect(feed.stream.statistics).toMatchObject({ lost: 1, keyframeRequests: 0 });
  });

  test("the track is stereo by sprop-stereo, or from the first packet that is", () => {
    const told = new Feed("opus", { "sprop-stereo": "1" });
    told.push(mono, 0);
    told.push(stereo, 960);
    expect(told.log.audioTracks.map(({ channels }) => channels)).toEqual([2]);
    const untold = new Feed("opus", { "sprop-stereo": 0 });
    for (const [i, payload] of [mono, stereo, mono].entries()) untold.push(payload, 960 * i);
    expect(untold.log.audioTracks.map(({ channels }) => channels)).toEqual([1, 2]);
    expect(untold.log.units.map(({ track }) => track.kind === "audio" && track.channels)).toEqual([1, 2, 2]);
  });

  test("a packet of an impossible duration is dropped (SEC5)", () => {
    const feed = new Feed("opus");
    feed.push([0xfb, 63, 1], 0);
    expect(feed.log.codes).toEqual(["access_unit_malformed"]);
    expect(feed.log.units).toEqual([]);
  });

  test("times that were rounded to milliseconds are sent as the samples they stand for; silence gets a marker", () => {
    const packetizer = new RtpPacketizer({ codec: "opus", payloadType: 96, ssrc: 5, timestampBase: 0, cname: "who" });
    const [unit] = makeUnits("opus", [{ keyframe: true, resize: false, step: 15, bodies: [Uint8Array.of(1)] }]);
    const sent: string[] = [];
    for (const ms of [0, 21, 40, 59, 80, 300, 320, 319]) {
      packetizer.push({ ...(unit as AccessUnit), pts: ms * 90 }, (packet) => {
        sent.push(`${packet.readUInt32BE(4)}${packet.readUInt8(1) > 127 ? " marker" : ""}`);
      });
    }
    expect(sent).toEqual(["0 marker", "960", "1920", "2880", "3840", "14400 marker", "15360", "15312 marker"]);
  });
});

describe("what an RTP stream does not take", () => {
  const h264 = { mimeType: "video/H264", clockRate: 90_000 };
  const base: RtpStreamOptions = { id: 0, kind: "video", codec: h264, payloadType: 96 };

  test.each([
    ["an unknown codec", { codec: { mimeType: "video/H265", clockRate: 90_000 } }],
    ["another clock rate", { codec: { mimeType: "video/VP8", clockRate: 48_000 } }],
    ["video as sound", { kind: "audio" as const }],
    ["surround sound", { kind: "audio" as const, codec: { mimeType: "audio/opus", clockRate: 48_000, channels: 6 } }],
  ])("%s (SEC5)", (_, change) => {
    const demuxer = new RtpDemuxer(new MediaLog());
    expect(() => demuxer.addStream({ ...base, ...change })).toThrow(MediaError);
    expect(demuxer.streams.size).toBe(0);
  });

  test("packets of other sources and payload types, and what is no RTP", () => {
    const log = new MediaLog();
    const demuxer = new RtpDemuxer(log);
    const stream = demuxer.addStream(base);
    const packet = (payloadType: number, ssrc: number) => {
      const data = new Uint8Array(20);
      writeRtpHeader(data, { marker: false, payloadType, sequenceNumber: 1, timestamp: 1, ssrc });
      return data;
    };
    for (const data of [packet(96, 1), packet(97, 1), packet(96, 2), Uint8Array.of(1, 2)]) stream.push(data, 0);
    expect(stream.statistics).toMatchObject({ packets: 1, bytes: 20, unusable: 3 });
    for (let i = 0; i < 100; i += 1) stream.push(packet(97, 1), 0);
    expect(log.codes.filter((code) => code === "packet_unusable")).toHaveLength(16);
    expect(demuxer.warningCounts.get("packet_unusable")).toBe(103);
    stream.close();
    stream.close();
    expect(demuxer.streams.size).toBe(0);
    stream.push(packet(96, 1), 0);
    stream.tick(1);
    expect(stream.statistics.packets).toBe(1);
  });

  test("packets that are padding alone are no loss and no picture", () => {
    const feed = new Feed("h264", {}, 0);
    feed.push(stapA(small.sps, small.pps), 0);
    feed.push(IDR, 0, true);
    feed.push([], 0);
    feed.push(SLICE, 3000, true);
    expect(feed.log.units).toHaveLength(2);
    expect(feed.log.warnings).toEqual([]);
  });

  test("a packetizer says what it cannot send", () => {
    const options = { codec: "h264", payloadType: 96, ssrc: 1 } as const;
    expect(() => new RtpPacketizer({ ...options, payloadType: 128 })).toThrow(RangeError);
    expect(() => new RtpPacketizer({ ...options, ssrc: -1 })).toThrow(RangeError);
    expect(() => new RtpPacketizer({ ...options, mtu: 60 })).toThrow(RangeError);
    const [unit] = makeUnits("vp8", [{ keyframe: true, resize: false, step: 15, bodies: [Uint8Array.of(1)] }]);
    const empty = { ...(unit as AccessUnit), data: new Uint8Array(0) };
    for (const codec of ["h264", "vp8", "vp9", "av1", "opus"] as const) {
      expect(() => new RtpPacketizer({ ...options, codec }).push(empty, () => undefined)).toThrow(MediaError);
    }
  });
});

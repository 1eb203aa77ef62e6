import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import { MediaLog } from "../testing/media-log.ts";
import { STREAM_TYPE } from "./stream-kind.ts";
import {
  aac,
  adtsFrame,
  annexB,
  bytes,
  H264_SETS,
  h264,
  lengthPrefixed,
  MadeStream,
  slice,
} from "./testing/material.ts";
import { TIMESTAMP_MODULUS } from "./timestamp-unwrap.ts";
import { TsDemuxer, type TsDemuxerOptions } from "./ts-demuxer.ts";
import { TsMuxer } from "./ts-muxer.ts";
import { TS_PACKET_SIZE } from "./ts-packet.ts";

const VIDEO = 0x100;
const AUDIO = 0x101;
const video = { pid: VIDEO, streamType: STREAM_TYPE.H264 };
const audio = { pid: AUDIO, streamType: STREAM_TYPE.AAC_ADTS };
const language = (code: string) => ({ tag: 0x0a, data: Uint8Array.from([...Buffer.from(code), 0]) });

/** The n-th picture of a stream: IDR pictures come with their parameter sets. */
function picture(n: number, keyframe = n === 0, size = 40): Uint8Array {
  const nal = slice("h264", keyframe, new Uint8Array(size).fill(0x10 + (n % 0x30)));
  return keyframe ? annexB(H264_SETS.small.sps, H264_SETS.small.pps, nal) : annexB(nal);
}

function demux(stream: Uint8Array | MadeStream, options: TsDemuxerOptions = {}): MediaLog & { demuxer: TsDemuxer } {
  const collector = new MediaLog();
  const demuxer = new TsDemuxer(collector, options);
  demuxer.push(stream instanceof MadeStream ? stream.bytes : stream);
  demuxer.flush();
  return Object.assign(collector, { demuxer });
}

const times = (units: readonly AccessUnit[]) => units.map(({ dts }) => dts);

describe("program tables", () => {
  test("tracks are numbered in the order of the PMT by kind, and keep their PIDs and languages (TRN4)", () => {
    const stream = new MadeStream().tables([
      { ...audio, pid: 0x200, descriptors: [language("eng")] },
      { ...video, pid: 0x300 },
      { ...audio, pid: 0x120, descriptors: [language("DEU")] },
      { ...video, pid: 0x110 },
    ]);
    for (const pid of [0x110, 0x300]) stream.pes({ pid, es: picture(0), pts: 0 });
    for (const pid of [0x120, 0x200]) stream.pes({ pid, es: adtsFrame(Uint8Array.of(1, 2, 3)), pts: 0 });
    const { tracks, demuxer, warnings } = demux(stream);
    expect(warnings).toEqual([]);
    expect(demuxer.streams.map(({ pid, kind, trackId, language: code }) => [pid, kind, trackId, code])).toEqual([
      [0x200, "audio", 0, "eng"],
      [0x300, "video", 0, undefined],
      [0x120, "audio", 1, "deu"],
      [0x110, "video", 1, undefined],
    ]);
    expect(tracks.map((track) => demuxer.pidOf(track)).sort()).toEqual([0x110, 0x120, 0x200, 0x300]);
    expect(tracks.find((track) => track.kind === "audio" && track.id === 1)).toMatchObject({ language: "deu" });
  });

  test("streams come and go in mid-stream; those that stay keep their ids", () => {
    const stream = new MadeStream()
      .tables([video, audio])
      .pes({ pid: VIDEO, es: picture(0), pts: 0 })
      .pes({ pid: AUDIO, es: adtsFrame(Uint8Array.of(1)), pts: 0 })
      .tables([audio, { ...video, pid: 0x180 }, { ...audio, pid: 0x181 }])
      .pes({ pid: 0x180, es: picture(0), pts: 3000 })
      .pes({ pid: VIDEO, es: picture(1), pts: 3000 })
      .pes({ pid: AUDIO, es: adtsFrame(Uint8Array.of(2)), pts: 3000 })
      .pes({ pid: 0x181, es: adtsFrame(Uint8Array.of(3)), pts: 3000 });
    const { units, warnings } = demux(stream);
    expect(units.map(({ track, dts }) => `${track.kind}${track.id}@${dts}`).sort()).toEqual([
      "audio0@0",
      "audio0@3000",
      "audio1@3000",
      "video0@0",
      "video0@3000",
    ]);
    expect(warnings).toEqual([]);
  });

  test("a PID changes its codec", () => {
    const stream = new MadeStream()
      .tables([audio])
      .pes({ pid: AUDIO, es: adtsFrame(Uint8Array.of(1)), pts: 0 })
      .tables([{ pid: AUDIO, streamType: STREAM_TYPE.H264 }])
      .pes({ pid: AUDIO, es: picture(0), pts: 9000 });
    expect(demux(stream).tracks.map(({ codec, id }) => `${codec}${id}`)).toEqual(["aac0", "h2640"]);
  });

  test("a table with a wrong CRC is told and changes nothing", () => {
    const stream = new MadeStream().tables([video, audio]);
    const broken = new MadeStream().tables([audio]).packets[1] as Uint8Array;
    broken[20] = (broken[20] as number) ^ 1;
    broken[3] = ((broken[3] as number) & 0xf0) | 1;
    const { demuxer, codes } = demux(bytes(stream.bytes, broken, stream.packets[0] as Uint8Array));
    expect(codes).toEqual(["table_malformed"]);
    expect(demuxer.streams.length).toBe(2);
  });

  test("what is not supported is told once; markers and metadata are passed over in silence", () => {
    const stream = new MadeStream();
    const rest = [
      { pid: 0x110, streamType: 0x81 },
      { pid: 0x111, streamType: STREAM_TYPE.SCTE35 },
      { pid: 0x112, streamType: STREAM_TYPE.METADATA_PES },
      { pid: 0x113, streamType: 0x06, descriptors: [{ tag: 0x6a, data: new Uint8Array(1) }] },
      { pid: 0x114, streamType: 0x02 },
    ];
    for (let i = 0; i < 3; i += 1) stream.tables([video, ...rest].slice(0, 6));
    // Only the version of these tables differs, so each of them is read.
    const { warnings, demuxer } = demux(bytes(...stream.packets.slice(0, 2)));
    expect(warnings.map(({ message }) => message)).toEqual([
      "AC-3 on PID 272 is not supported",
      "AC-3 on PID 275 is not supported",
      "MPEG-2 video on PID 276 is not supported",
    ]);
    expect(demuxer.streams.length).toBe(1);
  });

  test("a program can be chosen, and streams are counted", () => {
    const streams = Array.from({ length: 40 }, (_, i) => ({ pid: 0x100 + i, streamType: STREAM_TYPE.AAC_ADTS }));
    expect(demux(new MadeStream().tables(streams), { program: 2 }).demuxer.streams).toEqual([]);
    const { demuxer, codes } = demux(new MadeStream().tables(streams), { program: 1 });
    expect(demuxer.streams.length).toBe(32);
    expect(codes).toEqual(["too_many_streams"]);
  });
});

describe("timestamps", () => {
  test("go on past the wrap in all tracks (ING2)", () => {
    const stream = new MadeStream().tables([video, audio]);
    const start = TIMESTAMP_MODULUS - 7000;
    for (let n = 0; n < 6; n += 1) {
      const at = (start + n * 3000) % TIMESTAMP_MODULUS;
      const pts = (start + n * 3000 + 6000) % TIMESTAMP_MODULUS;
      stream.pes({ pid: VIDEO, es: picture(n), pts, dts: at });
      stream.pes({ pid: AUDIO, es: adtsFrame(Uint8Array.of(n)), pts: at });
    }
    const { units } = demux(stream);
    for (const kind of ["video", "audio"]) {
      const own = units.filter(({ track }) => track.kind === kind);
      expect(times(own)).toEqual([0, 1, 2, 3, 4, 5].map((n) => start + n * 3000));
      expect(own.every(({ pts, dts }) => pts - dts === (kind === "video" ? 6000 : 0))).toBe(true);
    }
  });

  test("a discontinuity that the program clock announces is on the next access unit of every track (ING5)", () => {
    const stream = new MadeStream()
      .tables([video, audio])
      .pes({ pid: VIDEO, es: picture(0), pts: 900_000, pcr: 900_000 })
      .pes({ pid: AUDIO, es: adtsFrame(Uint8Array.of(1)), pts: 900_000 })
      .pes({ pid: VIDEO, es: picture(0), pts: 5000, pcr: 5000, discontinuity: true })
      .pes({ pid: AUDIO, es: adtsFrame(Uint8Array.of(2)), pts: 5000 })
      .pes({ pid: VIDEO, es: picture(1), pts: 8000, pcr: 8000 });
    const { units } = demux(stream);
    const marks = units.map(({ track, dts, discontinuity }) => [track.kind, dts, discontinuity]);
    expect(marks.filter(([kind]) => kind === "video")).toEqual([
      ["video", 900_000, undefined],
      ["video", 5000, true],
      ["video", 8000, undefined],
    ]);
    expect(marks.filter(([kind]) => kind === "audio")).toEqual([
      ["audio", 900_000, undefined],
      ["audio", 5000, true],
    ]);
  });

  test("audio frames in one PES packet are placed by their samples, without rounding that adds up", () => {
    const frames = Array.from({ length: 50 }, (_, n) => adtsFrame(new Uint8Array(10).fill(n + 1), 44_100));
    const stream = new MadeStream().tables([audio]).pes({ pid: AUDIO, es: bytes(...frames), pts: 1000 });
    const { units } = demux(stream);
    expect(times(units)).toEqual(frames.map((_, n) => 1000 + Math.round((n * 1024 * 90_000) / 44_100)));
  });

  test("an audio frame that goes on in the next PES packet keeps the time of the packet it began in", () => {
    const all = bytes(...[1, 2, 3, 4].map((n) => adtsFrame(new Uint8Array(100).fill(n))));
    const stream = new MadeStream()
      .tables([audio])
      .pes({ pid: AUDIO, es: all.subarray(0, 150), pts: 0 })
      .pes({ pid: AUDIO, es: all.subarray(150, 260), pts: 4000 })
      .pes({ pid: AUDIO, es: all.subarray(260) });
    const { units, warnings } = demux(stream);
    expect(times(units)).toEqual([0, 1920, 4000, 5920]);
    expect(units.map(({ data }) => data[0])).toEqual([1, 2, 3, 4]);
    expect(warnings).toEqual([]);
  });

  test("a PTS before its DTS is moved up", () => {
    const stream = new MadeStream().tables([video]).pes({ pid: VIDEO, es: picture(0), pts: 1000, dts: 4000 });
    const { units, codes } = demux(stream);
    expect(units[0]).toMatchObject({ dts: 4000, pts: 4000 });
    expect(codes).toEqual(["timestamp_invalid"]);
  });
});

describe("loss", () => {
  function pictures(count: number, gop: number): MadeStream {
    const stream = new MadeStream().tables([video, audio]);
    for (let n = 0; n < count; n += 1) {
      stream.pes({ pid: VIDEO, es: picture(n, n % gop === 0, 600), pts: n * 3000 });
      stream.pes({ pid: AUDIO, es: adtsFrame(new Uint8Array(50).fill(n + 1)), pts: n * 3000 });
    }
    return stream;
  }

  const perPicture = 5; // packets: four of video, one of audio

  test("a missing packet takes its access unit and all up to the next keyframe with it, and no audio (PKG4)", () => {
    const { packets } = pictures(12, 5);
    packets.splice(2 + 6 * perPicture + 1, 1);
    const { units, codes, demuxer } = demux(bytes(...packets));
    const seen = times(units.filter(({ track }) => track.kind === "video")).map((dts) => dts / 3000);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 10, 11]);
    expect(units.filter(({ track }) => track.kind === "audio").length).toBe(12);
    expect(codes).toEqual(["continuity_lost"]);
    expect(demuxer.statistics.continuityErrors).toBe(1);
  });

  test("or only its access unit when not told to wait for a keyframe", () => {
    const { packets } = pictures(12, 5);
    packets.splice(2 + 6 * perPicture + 1, 1);
    const { units } = demux(bytes(...packets), { waitForKeyframe: false });
    const seen = times(units.filter(({ track }) => track.kind === "video")).map((dts) => dts / 3000);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]);
  });

  test("packets sent twice are read once", () => {
    const { packets } = pictures(6, 5);
    const { units, codes } = demux(bytes(...packets.flatMap((packet) => [packet, packet])));
    expect(units.length).toBe(12);
    expect(codes).toEqual([]);
  });

  test("fifteen missing packets are no repetition though the counter is the same", () => {
    const stream = new MadeStream().tables([video]);
    stream.pes({ pid: VIDEO, es: picture(0, true, 170 * 30), pts: 0 });
    stream.pes({ pid: VIDEO, es: picture(1, true), pts: 3000 });
    const packets = [...stream.packets];
    for (const [index, packet] of packets.entries()) packet[187] = index; // else all look alike
    packets.splice(6, 15);
    const { units, codes } = demux(bytes(...packets));
    expect(times(units)).toEqual([3000]);
    expect(codes).toEqual(["continuity_lost"]);
  });

  test("what the transport tells of is believed: sixteen packets leave no trace in the counters", () => {
    const { packets } = pictures(12, 5);
    const collector = new MediaLog();
    const demuxer = new TsDemuxer(collector);
    demuxer.push(bytes(...packets.slice(0, 2 + 2 * perPicture + 2)));
    demuxer.lost();
    demuxer.push(bytes(...packets.slice(2 + 6 * perPicture + 2)));
    demuxer.flush();
    const seen = times(collector.units.filter(({ track }) => track.kind === "video")).map((dts) => dts / 3000);
    expect(seen).toEqual([0, 1, 10, 11]);
  });

  test("a packet marked as damaged is not read", () => {
    const { packets } = pictures(6, 5);
    const damaged = packets[2 + perPicture + 1] as Uint8Array;
    damaged[1] = (damaged[1] as number) | 0x80;
    const { units, codes } = demux(bytes(...packets));
    expect(times(units.filter(({ track }) => track.kind === "video"))).toEqual([0, 15_000]);
    expect(codes).toEqual(["packet_damaged"]);
  });

  test("whatever is cut out or put in, only access units that were sent come out, whole", () => {
    const sent: AccessUnit[] = [];
    const chunks: Uint8Array[] = [];
    const muxer = new TsMuxer((chunk) => chunks.push(chunk));
    const [videoTrack, audioTrack] = [h264(), aac()];
    for (let n = 0; n < 40; n += 1) {
      const nal = slice("h264", n % 8 === 0, new Uint8Array(100 + ((n * 997) % 2000)).fill(0x80 + n));
      sent.push({
        track: videoTrack,
        dts: n * 3000,
        pts: n * 3000,
        keyframe: n % 8 === 0,
        data: lengthPrefixed(nal),
      });
      const data = new Uint8Array(200 + n).fill(0x80 + n);
      sent.push({ track: audioTrack, dts: n * 3000, pts: n * 3000, keyframe: true, data });
    }
    for (const unit of sent) muxer.onAccessUnit(unit);
    const stream = bytes(...chunks);
    const known = new Set(sent.map(({ dts, data }) => `${dts} ${Buffer.from(data).toString("hex")}`));
    const damage = fc
      .record({
        at: fc.nat(stream.length - 1),
        // Up to fifteen packets: a whole turn of the continuity counter shows only to the transport.
        cut: fc.oneof(fc.nat(400), fc.nat(15 * TS_PACKET_SIZE)),
        put: fc.uint8Array({ maxLength: 300 }),
      })
      // Bytes replaced by others leave no trace at all: transport streams have no check sums.
      .filter(({ cut, put }) => (cut - put.length) % TS_PACKET_SIZE !== 0);
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 3 }), (damages) => {
        let broken = stream;
        for (const { at, cut, put } of damages) {
          const from = Math.min(at, broken.length - cut);
          broken = bytes(broken.slice(0, from), put, broken.slice(from + cut));
        }
        const collector = new MediaLog();
        const demuxer = new TsDemuxer(collector, { waitForKeyframe: false });
        demuxer.push(broken);
        demuxer.flush();
        for (const { dts, data } of collector.units) {
          expect(known.has(`${dts} ${Buffer.from(data).toString("hex")}`)).toBe(true);
        }
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test("an access unit above the limit is dropped, and memory with it", () => {
    const stream = new MadeStream()
      .tables([video])
      .pes({ pid: VIDEO, es: picture(0), pts: 0 })
      .pes({ pid: VIDEO, es: picture(1, true, 200_000), pts: 3000, unbounded: true })
      .pes({ pid: VIDEO, es: picture(2), pts: 6000 })
      .pes({ pid: VIDEO, es: picture(3, true), pts: 9000 });
    const { units, codes } = demux(stream, { maxPesBytes: 100_000 });
    expect(times(units)).toEqual([0, 9000]);
    expect(codes).toEqual(["pes_too_large"]);
  });
});

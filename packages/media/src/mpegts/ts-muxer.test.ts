import { describe, expect, test } from "vitest";
import type { AccessUnit, Track, VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { MediaLog } from "../testing/media-log.ts";
import { aac, bytes, h264, lengthPrefixed, opus, opusPacket, slice } from "./testing/material.ts";
import { TIMESTAMP_MODULUS } from "./timestamp-unwrap.ts";
import { TsDemuxer } from "./ts-demuxer.ts";
import { TsMuxer, type TsMuxerOptions } from "./ts-muxer.ts";
import { TS_PACKET_SIZE, TsPacketHeader } from "./ts-packet.ts";

const VIDEO_PID = 0x100;
const AUDIO_PID = 0x200;

const picture = (track: Track, dts: number, keyframe = false, size = 300): AccessUnit => ({
  track,
  dts,
  pts: dts,
  keyframe,
  data: lengthPrefixed(slice("h264", keyframe, new Uint8Array(size).fill(7))),
});
const sound = (track: Track, dts: number): AccessUnit => ({
  track,
  dts,
  pts: dts,
  keyframe: true,
  data: new Uint8Array(170).fill(9),
});

interface SeenPacket {
  readonly pid: number;
  readonly unitStart: boolean;
  readonly randomAccess: boolean;
  readonly discontinuity: boolean;
  /** 90 kHz ticks. */
  readonly clock: number | undefined;
  readonly hasPayload: boolean;
}

function mux(units: readonly AccessUnit[], options?: TsMuxerOptions): { packets: SeenPacket[]; chunks: Uint8Array[] } {
  const chunks: Uint8Array[] = [];
  const muxer = new TsMuxer((chunk) => chunks.push(chunk), options);
  for (const { track } of units) muxer.onTrack(track);
  for (const unit of units) muxer.onAccessUnit(unit);
  return { packets: read(bytes(...chunks)), chunks };
}

function read(stream: Uint8Array): SeenPacket[] {
  const header = new TsPacketHeader();
  const packets: SeenPacket[] = [];
  for (let at = 0; at < stream.length; at += TS_PACKET_SIZE) {
    expect(header.read(stream, at)).toBe(true);
    packets.push({
      pid: header.pid,
      unitStart: header.payloadUnitStart,
      randomAccess: header.randomAccess,
      discontinuity: header.discontinuity,
      clock: header.hasPcr ? header.pcr / 300 : undefined,
      hasPayload: header.hasPayload,
    });
  }
  return packets;
}

/** The program clock references, 90 kHz ticks. */
function clocks(packets: readonly SeenPacket[]): number[] {
  return packets.flatMap(({ clock }) => (clock === undefined ? [] : [clock]));
}

describe("program clock", () => {
  test("is on every picture, behind its DTS by the delay", () => {
    const video = h264();
    const { packets } = mux([0, 1, 2].map((n) => picture(video, 900_000 + n * 3000, n === 0)));
    expect(clocks(packets)).toEqual([0, 1, 2].map((n) => 900_000 + n * 3000 - 18_000));
  });

  test("is never from before zero, nor ahead of the first DTS", () => {
    const video = h264();
    expect(clocks(mux([0, 3000, 6000].map((dts) => picture(video, dts, dts === 0))).packets)).toEqual([0, 3000, 6000]);
    expect(clocks(mux([9000, 12_000].map((dts) => picture(video, dts, true))).packets)).toEqual([0, 3000]);
  });

  test("is sent between pictures that are far apart, and on the audio where there is no video", () => {
    const [video, audio] = [h264(), aac()];
    const units = [
      picture(video, 90_000, true),
      ...Array.from({ length: 47 }, (_, n) => sound(audio, 90_000 + n * 1920)),
    ];
    const { packets } = mux(units);
    const seen = clocks(packets);
    expect(packets.filter(({ clock }) => clock !== undefined).every(({ pid }) => pid === VIDEO_PID)).toBe(true);
    for (const [n, clock] of seen.entries()) {
      if (n === 0) continue;
      const step = clock - (seen[n - 1] as number);
      expect(step).toBeGreaterThan(0);
      expect(step).toBeLessThanOrEqual(3600 + 1920);
    }
    expect(seen.length).toBeGreaterThan(15);
    const alone = mux(units.slice(1)).packets;
    expect(alone.filter(({ clock }) => clock !== undefined).every(({ pid }) => pid === AUDIO_PID)).toBe(true);
  });

  test("wraps with the timestamps", () => {
    const video = h264();
    const start = 5 * TIMESTAMP_MODULUS - 3000 + 18_000;
    const { packets } = mux([0, 1, 2].map((n) => picture(video, start + n * 3000, n === 0)));
    expect(clocks(packets)).toEqual([TIMESTAMP_MODULUS - 3000, 0, 3000]);
  });

  test("tells of a jump, and runs back only there", () => {
    const video = h264();
    const { packets } = mux([
      picture(video, 900_000, true),
      picture(video, 903_000),
      { ...picture(video, 30_000, true), discontinuity: true },
      picture(video, 33_000),
    ]);
    const starts = packets.filter(({ pid, unitStart }) => pid === VIDEO_PID && unitStart);
    expect(starts.map(({ clock, discontinuity }) => [clock, discontinuity])).toEqual([
      [882_000, false],
      [885_000, false],
      [12_000, true],
      [15_000, false],
    ]);
  });
});

describe("program tables", () => {
  const tables = (packets: readonly SeenPacket[]) => packets.filter(({ pid }) => pid === 0).length;

  test("come first, before every keyframe and at least every quarter of a second", () => {
    const video = h264();
    const { packets } = mux(Array.from({ length: 60 }, (_, n) => picture(video, n * 3000, n % 30 === 0)));
    expect(packets.slice(0, 2).map(({ pid }) => pid)).toEqual([0, 0x1000]);
    for (const [index, packet] of packets.entries()) {
      if (packet.randomAccess) expect(packets[index - 1]?.pid).toBe(0x1000);
    }
    expect(tables(packets)).toBe(8);
    expect(tables(mux(Array.from({ length: 100 }, (_, n) => sound(aac(), n * 1920))).packets)).toBe(9);
  });

  test("follow a track that comes, changes its codec or goes, with another version", () => {
    const stream: Uint8Array[] = [];
    const muxer = new TsMuxer((chunk) => stream.push(chunk));
    const [video, audio] = [h264(), aac()];
    const steps = [
      () => muxer.onAccessUnit(picture(video, 0, true)),
      () => muxer.onAccessUnit(sound(audio, 0)),
      () => muxer.onAccessUnit({ ...sound(opus(), 3000), data: opusPacket(new Uint8Array(20)) }),
      () => muxer.removeTrack({ kind: "audio", id: 0 }),
      () => muxer.onAccessUnit(picture(video, 3000)),
    ];
    for (const step of steps) step();
    const versions = stream
      .map((chunk) => Buffer.from(chunk))
      .filter((chunk) => chunk[1] === 0x40 && chunk[2] === 0)
      .map((chunk) => ((chunk[TS_PACKET_SIZE + 10] as number) >> 1) & 0x1f);
    expect(versions).toEqual([0, 1, 2, 3]);

    const collector = new MediaLog();
    const demuxer = new TsDemuxer(collector);
    demuxer.push(bytes(...stream));
    demuxer.flush();
    expect(collector.warnings).toEqual([]);
    expect(collector.tracks.map(({ codec, id }) => `${codec}${id}`).sort()).toEqual(["aac0", "h2640", "opus0"]);
    expect(demuxer.streams.map(({ codec }) => codec)).toEqual(["h264"]);
  });

  test("a configuration that changes needs no other tables: parameter sets are in band", () => {
    const { packets, chunks } = mux([picture(h264(), 0, true), picture(h264(0, "large"), 3000, true)]);
    expect(tables(packets)).toBe(2);
    const collector = new MediaLog();
    const demuxer = new TsDemuxer(collector);
    demuxer.push(bytes(...chunks));
    demuxer.flush();
    expect(collector.tracks.map((track) => (track as VideoTrack).width)).toEqual([320, 640]);
  });
});

describe("bytes", () => {
  test("come as one piece for each access unit, or in pieces that fit a datagram (ING2)", () => {
    const units = [0, 1, 2].map((n) => picture(h264(), n * 3000, n === 0, 5000));
    expect(mux(units).chunks.length).toBe(3);
    const { chunks } = mux(units, { chunkPackets: 7 });
    expect(chunks.every(({ length }) => length <= 1316 && length % TS_PACKET_SIZE === 0)).toBe(true);
    expect(bytes(...chunks)).toEqual(bytes(...mux(units).chunks));
  });

  test("every size of access unit fills its packets exactly", () => {
    const track = aac();
    for (let size = 1; size < 600; size += 1) {
      const { chunks } = mux([{ ...sound(track, 0), data: new Uint8Array(size).fill(3) }]);
      const collector = new MediaLog();
      const demuxer = new TsDemuxer(collector);
      demuxer.push(bytes(...chunks));
      demuxer.flush();
      expect(collector.units.map(({ data }) => data.length)).toEqual([size]);
    }
  });

  test("what a transport stream cannot carry is refused, and nothing is written", () => {
    const chunks: Uint8Array[] = [];
    const muxer = new TsMuxer((chunk) => chunks.push(chunk));
    const av1: VideoTrack = { ...h264(), codec: "av1" };
    expect(() => muxer.onTrack(av1)).toThrow(MediaError);
    expect(() => muxer.onTrack({ ...aac(), config: new Uint8Array(0) })).toThrow(MediaError);
    expect(() => muxer.onAccessUnit({ ...picture(h264(), 0, true), data: Uint8Array.of(0, 0, 0, 9, 1) })).toThrow(
      MediaError,
    );
    expect(() => muxer.onAccessUnit({ ...sound(aac(), 0), data: new Uint8Array(70_000) })).toThrow(MediaError);
    expect(chunks).toEqual([]);
    const sameForAll = new TsMuxer(() => undefined, { pid: () => 0x50 });
    sameForAll.onTrack(h264());
    expect(() => sameForAll.onTrack(aac())).toThrow(MediaError);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessUnit, Track } from "../access-unit.ts";
import { MediaLog } from "../testing/media-log.ts";
import { aac, h264, hevc, mp3, mp3Frame, opus, opusPacket, slice } from "./testing/material.ts";
import { TIMESTAMP_MODULUS } from "./timestamp-unwrap.ts";
import { TsDemuxer } from "./ts-demuxer.ts";
import { TsMuxer } from "./ts-muxer.ts";
import { TS_PACKET_SIZE, TsPacketHeader } from "./ts-packet.ts";

const body = fc.uint8Array({ minLength: 1, maxLength: 900 });
const bigBody = fc.integer({ min: 1, max: 90_000 }).map((length) => new Uint8Array(length).fill(0x5a));

const tracks: fc.Arbitrary<Track[]> = fc
  .record({
    video: fc.subarray([h264(), hevc(), h264(0, "large")]),
    audio: fc.subarray([aac(0, 48_000, 2, "eng"), aac(0, 44_100, 1), opus(), mp3()]),
  })
  .map(({ video, audio }) => [
    ...video.map((track, id) => ({ ...track, id })),
    ...audio.map((track, id) => ({ ...track, id })),
  ])
  .filter((all) => all.length > 0);

const streams: fc.Arbitrary<{ chosen: Track[]; sent: AccessUnit[] }> = fc
  .record({
    chosen: tracks,
    first: fc.oneof(
      fc.integer({ min: 0, max: 90_000 }),
      fc.integer({ min: TIMESTAMP_MODULUS - 40_000, max: TIMESTAMP_MODULUS + 40_000 }),
      fc.integer({ min: 0, max: 5 * TIMESTAMP_MODULUS }),
    ),
    steps: fc.array(
      fc.record({
        which: fc.nat(),
        step: fc.integer({ min: 1, max: 6000 }),
        delay: fc.integer({ min: 0, max: 4 }),
        keyframe: fc.boolean(),
        bodies: fc.array(fc.oneof({ weight: 12, arbitrary: body }, { weight: 1, arbitrary: bigBody }), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ chosen, first, steps }) => {
    let dts = first;
    const begun = new Set<Track>();
    const sent = steps.map(({ which, step, delay, keyframe, bodies }) => {
      const track = chosen[which % chosen.length] as Track;
      dts += step;
      const fresh = !begun.has(track);
      begun.add(track);
      return makeUnit(track, dts, delay, keyframe || fresh, bodies);
    });
    return { chosen, sent };
  });

function makeUnit(
  track: Track,
  dts: number,
  delay: number,
  keyframe: boolean,
  bodies: readonly Uint8Array[],
): AccessUnit {
  if (track.kind === "video") {
    const codec = track.codec === "hevc" ? "hevc" : "h264";
    const slices = bodies.map((content, index) => slice(codec, keyframe, content, index === 0));
    const data = Buffer.concat(slices.map((nal) => lengthPrefixedLong(nal)));
    return { track, dts, pts: dts + delay * 3000, keyframe, data };
  }
  const content = (bodies[0] as Uint8Array).subarray(0, 1200);
  const data = track.codec === "opus" ? opusPacket(content) : track.codec === "mp3" ? mp3Frame(content) : content;
  return { track, dts, pts: dts, keyframe: true, data };
}

function lengthPrefixedLong(nal: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(nal.length);
  return Buffer.concat([head, nal]);
}

/** By track, in the order of the track: between tracks the order depends on when a PES packet is known to be whole. */
function byTrack(all: readonly AccessUnit[], epoch = 0): object {
  const sorted: Record<string, object[]> = {};
  for (const { track, dts, pts, keyframe, data } of all) {
    const key = JSON.stringify({ ...track, config: Buffer.from(track.config).toString("hex") });
    sorted[key] ??= [];
    sorted[key].push({ dts: dts - epoch, pts: pts - epoch, keyframe, data: Buffer.from(data).toString("base64") });
  }
  return sorted;
}

describe("access units through multiplexer and demultiplexer", () => {
  test("come back equal, whatever the pieces (ING2)", () => {
    fc.assert(
      fc.property(
        streams,
        fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
        ({ chosen, sent }, chunkPackets, cuts) => {
          const chunks: Uint8Array[] = [];
          const options = chunkPackets === undefined ? {} : { chunkPackets };
          const muxer = new TsMuxer((chunk) => chunks.push(chunk), options);
          for (const track of chosen) muxer.onTrack(track);
          for (const unit of sent) muxer.onAccessUnit(unit);
          for (const chunk of chunks) {
            expect(chunk.length % TS_PACKET_SIZE).toBe(0);
            if (chunkPackets !== undefined) expect(chunk.length).toBeLessThanOrEqual(chunkPackets * TS_PACKET_SIZE);
          }
          const stream = Buffer.concat(chunks);
          checkStream(stream);

          const got = new MediaLog();
          const demuxer = new TsDemuxer(got);
          for (let at = 0, i = 0; at < stream.length; i += 1) {
            const count = cuts[i % cuts.length] as number;
            demuxer.push(stream.subarray(at, at + count));
            at += count;
          }
          demuxer.flush();
          expect(got.warnings).toEqual([]);
          const epoch = Math.floor((sent[0] as AccessUnit).dts / TIMESTAMP_MODULUS) * TIMESTAMP_MODULUS;
          expect(byTrack(got.units)).toEqual(byTrack(sent, epoch));
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** What every transport stream keeps to: continuity, clocks that never run back, timestamps behind the clock. */
function checkStream(stream: Uint8Array): void {
  const header = new TsPacketHeader();
  const counters = new Map<number, number>();
  let clock = -1;
  for (let at = 0; at < stream.length; at += TS_PACKET_SIZE) {
    expect(stream[at]).toBe(0x47);
    expect(header.read(stream, at)).toBe(true);
    const last = counters.get(header.pid);
    if (last !== undefined) expect(header.continuityCounter).toBe(header.hasPayload ? (last + 1) % 16 : last);
    if (header.hasPayload) counters.set(header.pid, header.continuityCounter);
    if (!header.hasPcr) continue;
    const forward = (header.pcr - clock + 300 * TIMESTAMP_MODULUS) % (300 * TIMESTAMP_MODULUS);
    if (clock >= 0) expect(forward).toBeLessThan(300 * 2 ** 32);
    clock = header.pcr;
  }
}

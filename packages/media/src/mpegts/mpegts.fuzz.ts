import { defineFuzzTarget, type FuzzRandom } from "@klieg/base/fuzz";
import type { AccessUnit, Track } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { crc32Mpeg } from "./crc32.ts";
import { buildPat, buildPmt, parsePat, parsePmt } from "./psi.ts";
import { OPUS_EXTENSION_TAG, STREAM_TYPE, streamKind, streamName } from "./stream-kind.ts";
import {
  aac,
  adtsFrame,
  annexB,
  bytes,
  H264_SETS,
  HEVC_SETS,
  h264,
  hevc,
  hex,
  latmElement,
  lengthPrefixed,
  MadeStream,
  mp3,
  mp3Frame,
  opus,
  opusPacket,
  slice,
} from "./testing/material.ts";
import { TsDemuxer } from "./ts-demuxer.ts";
import { TsMuxer } from "./ts-muxer.ts";

const neverThrows = () => false;
const opusDescriptors = [
  { tag: 0x05, data: new Uint8Array(Buffer.from("Opus")) },
  { tag: 0x7f, data: Uint8Array.of(OPUS_EXTENSION_TAG, 2) },
];

/** One stream of each kind that is read. */
const STREAMS = [
  { pid: 0x100, streamType: STREAM_TYPE.H264 },
  { pid: 0x101, streamType: STREAM_TYPE.HEVC },
  { pid: 0x102, streamType: STREAM_TYPE.AAC_ADTS },
  { pid: 0x103, streamType: STREAM_TYPE.AAC_LATM },
  { pid: 0x104, streamType: STREAM_TYPE.MPEG1_AUDIO },
  { pid: 0x105, streamType: STREAM_TYPE.PRIVATE_PES, descriptors: opusDescriptors },
];

/** A stream with some of everything, as our multiplexer makes it. */
function muxed(): Uint8Array {
  const chunks: Uint8Array[] = [];
  const muxer = new TsMuxer((chunk) => chunks.push(chunk));
  const tracks: Track[] = [h264(), hevc(1), aac(0, 48_000, 2, "eng"), opus(1), mp3(2)];
  for (let n = 0; n < 6; n += 1) {
    for (const track of tracks) muxer.onAccessUnit(unitOf(track, n));
  }
  return bytes(...chunks);
}

function unitOf(track: Track, n: number): AccessUnit {
  const body = new Uint8Array(40 + 97 * n).fill(n + 1);
  const times = { dts: n * 3000, pts: n * 3000 };
  switch (track.codec) {
    case "h264":
    case "hevc":
      return { track, ...times, keyframe: n % 3 === 0, data: lengthPrefixed(slice(track.codec, n % 3 === 0, body)) };
    case "opus":
      return { track, ...times, keyframe: true, data: opusPacket(body) };
    case "mp3":
      return { track, ...times, keyframe: true, data: mp3Frame(body) };
    default:
      return { track, ...times, keyframe: true, data: body };
  }
}

/** Feeds a stream in pieces; answers the bytes that came out. */
function demux(stream: Uint8Array, random: FuzzRandom): number {
  let out = 0;
  const demuxer = new TsDemuxer(
    {
      onTrack: (track) => {
        out += track.config.length;
      },
      onAccessUnit: (unit) => {
        if (!(unit.dts >= 0 && unit.pts >= unit.dts && Number.isSafeInteger(unit.pts)))
          throw new Error("impossible time");
        out += unit.data.length;
      },
      onWarning: () => undefined,
    },
    { waitForKeyframe: random.oneIn(2) },
  );
  for (let at = 0; at < stream.length; ) {
    const count = 1 + random.below(random.oneIn(2) ? 400 : 4000);
    if (random.oneIn(50)) demuxer.lost();
    demuxer.push(stream.subarray(at, at + count));
    at += count;
  }
  demuxer.flush();
  return out;
}

/** A section with its length and CRC put right, so that mutations reach what is behind the CRC. */
function mended(input: Uint8Array): Uint8Array {
  const section = new Uint8Array(Math.min(Math.max(input.length, 12), 1024));
  section.set(input.subarray(0, section.length));
  section[1] = 0xb0 | ((section.length - 3) >> 8);
  section[2] = section.length - 3;
  const crcAt = section.length - 4;
  const crc = crc32Mpeg(section, 0, crcAt);
  section.set([crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff], crcAt);
  return section;
}

export const fuzzTargets = [
  defineFuzzTarget({
    name: "mpegts-stream",
    corpus: () => [muxed()],
    run: demux,
    isExpectedError: neverThrows,
  }),

  defineFuzzTarget({
    name: "mpegts-elementary-streams",
    // Elementary streams behind a byte that chooses which: mutations reach the framers without breaking packets.
    corpus: () => [
      bytes(
        Uint8Array.of(0),
        annexB(
          H264_SETS.small.sps,
          H264_SETS.small.pps,
          slice("h264", true, hex("0102")),
          slice("h264", false, hex("03")),
        ),
      ),
      bytes(
        Uint8Array.of(1),
        annexB(
          HEVC_SETS.vps,
          HEVC_SETS.sps,
          HEVC_SETS.pps,
          slice("hevc", true, hex("0102")),
          slice("hevc", false, hex("03")),
        ),
      ),
      bytes(Uint8Array.of(2), adtsFrame(hex("010203")), adtsFrame(hex("04"))),
      bytes(Uint8Array.of(3), latmElement([hex("010203")]), latmElement([hex("0405"), hex("06")])),
      bytes(Uint8Array.of(4), mp3Frame(hex("01")), mp3Frame(hex("02"))),
      bytes(Uint8Array.of(5), hex("7fe003fc01027ff003fc0102013802fc01")),
    ],
    run: (input, random) => {
      const stream = new MadeStream().tables(STREAMS);
      const pid = 0x100 + ((input[0] ?? 0) % STREAMS.length);
      for (let at = 1; at < input.length; ) {
        const count = 1 + random.below(random.oneIn(2) ? 20 : 400);
        const timed = random.oneIn(4) ? {} : { pts: random.u32() };
        stream.pes({ pid, es: input.subarray(at, at + count), unbounded: random.oneIn(2), ...timed });
        at += count;
      }
      return demux(stream.bytes, random);
    },
    isExpectedError: neverThrows,
  }),

  defineFuzzTarget({
    name: "mpegts-tables",
    corpus: () => [
      buildPat(1, 0, 1, 0x1000),
      buildPmt({
        version: 1,
        programNumber: 1,
        pcrPid: 0x100,
        streams: STREAMS.map((stream) => ({ descriptors: [], ...stream })),
      }),
    ],
    run: (input, random) => {
      const section = mended(input);
      const stream = new MadeStream().tables(STREAMS).section(0x1000, section).section(0, section);
      const out = demux(stream.bytes, random);
      parsePat(section);
      const streams = parsePmt(section)?.streams ?? [];
      return out + streams.reduce((sum, info) => sum + streamKind(info).length + streamName(info).length, 0);
    },
    isExpectedError: (error) => error instanceof MediaError,
  }),
];

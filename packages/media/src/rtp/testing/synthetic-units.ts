import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { AccessUnit, Track } from "../../access-unit.ts";
import { parseAv1Config } from "../../av1/av1-config.ts";
import { Av1ElementaryStream } from "../../av1/av1-elementary-stream.ts";
import { AV1_OBU, leb128Bytes, writeLeb128 } from "../../av1/obu.ts";
import { BitWriter } from "../../bits/bit-writer.ts";
import { FlvDemuxer } from "../../flv/flv-demuxer.ts";
import { FlvFileReader } from "../../flv/flv-file.ts";
import { h264, lengthPrefixed } from "../../mpegts/testing/material.ts";
import { defaultOpusConfig, opusTrack } from "../../opus/opus-config.ts";
import { MediaLog } from "../../testing/media-log.ts";
import { Vp8ElementaryStream } from "../../vp8/vp8-elementary-stream.ts";
import { Vp9ElementaryStream } from "../../vp9/vp9-elementary-stream.ts";
import type { RtpPayloadCodec } from "../rtp-packetizer.ts";

export const CODECS: readonly RtpPayloadCodec[] = ["h264", "vp8", "vp9", "av1", "opus"];

/** What a session description calls the codecs. */
export const MIME_TYPES: Readonly<Record<RtpPayloadCodec, string>> = {
  h264: "video/H264",
  vp8: "video/VP8",
  vp9: "video/VP9",
  av1: "video/AV1",
  opus: "audio/opus",
};

/** Tracks and access units of a fixture: real bytes. */
export function fixture(name: string): MediaLog {
  const log = new MediaLog();
  const demuxer = new FlvDemuxer(log);
  new FlvFileReader().push(readFileSync(new URL(`../../../fixtures/${name}.flv`, import.meta.url)), (tag) => {
    if (tag.kind === "video") demuxer.pushVideo(tag.timestampMs, tag.body);
    else if (tag.kind === "audio") demuxer.pushAudio(tag.timestampMs, tag.body);
  });
  return log;
}

/** One access unit to be made up. */
export interface UnitPlan {
  readonly keyframe: boolean;
  /** At a keyframe the picture changes its size. */
  readonly resize: boolean;
  /** Ticks after the one before; a multiple of 15, which Opus at 48 kHz can tell. */
  readonly step: number;
  readonly bodies: readonly Uint8Array[];
}

const body = fc.uint8Array({ minLength: 1, maxLength: 600 });
const bigBody = fc.integer({ min: 1, max: 12_000 }).map((length) => new Uint8Array(length).fill(0xa5));

export const unitPlans: fc.Arbitrary<UnitPlan[]> = fc.array(
  fc.record({
    keyframe: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    resize: fc.boolean(),
    step: fc.integer({ min: 1, max: 400 }).map((n) => 15 * n),
    bodies: fc.array(fc.oneof({ weight: 6, arbitrary: body }, { weight: 1, arbitrary: bigBody }), {
      minLength: 1,
      maxLength: 5,
    }),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Access units as planned; the first is a keyframe. Parsers take them for real, decoders do not. */
export function makeUnits(codec: RtpPayloadCodec, plans: readonly UnitPlan[], start = 900_000): AccessUnit[] {
  const make = MAKERS[codec]();
  let dts = start;
  let large = false;
  return plans.map((plan, i) => {
    dts += plan.step;
    const keyframe = i === 0 || plan.keyframe || codec === "opus";
    if (keyframe && plan.resize) large = !large;
    const { track, data } = make(keyframe, large, plan.bodies);
    return { track, dts, pts: dts, keyframe, data };
  });
}

type Maker = (keyframe: boolean, large: boolean, bodies: readonly Uint8Array[]) => { track: Track; data: Uint8Array };

const MAKERS: Readonly<Record<RtpPayloadCodec, () => Maker>> = {
  h264: () => {
    const tracks = { small: h264(0, "small"), large: h264(0, "large") };
    return (keyframe, large, bodies) => ({
      track: tracks[large ? "large" : "small"],
      data: lengthPrefixed(
        ...bodies.map((bytes, i) => {
          // Every other access unit begins with a message; every slice but the first lacks the bit of macroblock 0.
          const header = keyframe ? 0x65 : 0x41;
          return Uint8Array.of(i === 0 && bodies.length > 2 ? 0x06 : header, i === 0 ? 0x88 : 0x48, ...bytes);
        }),
      ),
    });
  },
  vp8: () => {
    const stream = new Vp8ElementaryStream(0);
    return (keyframe, large, bodies) => {
      const size = large ? [0x80, 0x02, 0x68, 0x01] : [0x40, 0x01, 0xb4, 0x00];
      const head = keyframe ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, ...size] : [0x11, 0, 0];
      const { data } = stream.push(concat(Uint8Array.from(head), ...bodies));
      return { track: stream.track as Track, data };
    };
  },
  vp9: () => {
    const stream = new Vp9ElementaryStream(0);
    return (keyframe, large, bodies) => {
      const head = new BitWriter().u(2, 2).u(2, 0).u(1, 0).flag(!keyframe).u(2, 2);
      if (keyframe)
        head
          .u(24, 0x498342)
          .u(3, 1)
          .u(1, 0)
          .u(16, large ? 639 : 319)
          .u(16, large ? 359 : 179);
      const { data } = stream.push(concat(head.toBytes(), ...bodies));
      return { track: stream.track as Track, data };
    };
  },
  av1: () => {
    const stream = new Av1ElementaryStream(0);
    const track = fixture("av1-aac").videoTracks[0] as Track;
    const { sequenceHeader } = parseAv1Config(track.config);
    return (keyframe, _large, bodies) => {
      const obus = bodies.map((bytes, i) => {
        const head = keyframe ? 0x10 : 0x30;
        return obu(i === 0 ? AV1_OBU.FRAME : AV1_OBU.METADATA, concat(Uint8Array.of(i === 0 ? head : 0), bytes));
      });
      const sequence = keyframe ? [obu(AV1_OBU.SEQUENCE_HEADER, sequenceHeader as Uint8Array)] : [];
      const { data } = stream.push(concat(...sequence, ...obus));
      return { track: stream.track as Track, data };
    };
  },
  opus: () => {
    const track = opusTrack(0, defaultOpusConfig(2, 0));
    return (_keyframe, _large, bodies) => ({
      track,
      data: concat(Uint8Array.of(0xfc), (bodies[0] as Uint8Array).subarray(0, 500)),
    });
  },
};

function obu(type: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + leb128Bytes(payload.length) + payload.length);
  out[0] = (type << 3) | 2;
  out.set(payload, 1 + writeLeb128(out, 1, payload.length));
  return out;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

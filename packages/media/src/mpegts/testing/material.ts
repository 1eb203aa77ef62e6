import { aacTrack } from "../../aac/aac-track.ts";
import { buildAdtsFrame } from "../../aac/adts.ts";
import { buildAudioSpecificConfig } from "../../aac/audio-specific-config.ts";
import type { AudioTrack, VideoTrack } from "../../access-unit.ts";
import { BitWriter } from "../../bits/bit-writer.ts";
import { h264Track } from "../../h264/h264-track.ts";
import { hevcTrack } from "../../hevc/hevc-track.ts";
import { mp3Track, parseMp3Header } from "../../mp3/mp3-header.ts";
import { fromRbsp } from "../../nal/emulation-prevention.ts";
import { defaultOpusConfig, opusTrack } from "../../opus/opus-config.ts";
import { PacketWriter, packetsFor, sectionPackets } from "../packet-writer.ts";
import { writeTimestamp } from "../pes-header.ts";
import { buildPat, buildPmt, type Descriptor } from "../psi.ts";
import { TS_PACKET_SIZE } from "../ts-packet.ts";

/** Parameter sets that x264 and x265 made of 30 frames a second. */
export const H264_SETS = {
  /** 320 × 180. */
  small: { sps: hex("6764000dacd941419f9f0110000003001000000303c0f1429960"), pps: hex("68ebe3cb22c0") },
  /** 640 × 360. */
  large: { sps: hex("6764001eacd940a02ff970110000030001000003003c0f162d96"), pps: hex("68ebe3cb22c0") },
  /** Interlaced. */
  fields: { sps: hex("67640015acd941433f260220000003002000000783e28532c0"), pps: hex("68fba3cb22c0") },
};
export const HEVC_SETS = {
  vps: hex("40010c01ffff01600000030090000003000003003c959809"),
  sps: hex("42010101600000030090000003000003003ca00a080b9f796566924caf016808000003000800000300f040"),
  pps: hex("4401c172b46240"),
};

export const H264_DELIMITER = hex("09f0");

export const h264 = (id = 0, sets: keyof typeof H264_SETS = "small"): VideoTrack =>
  h264Track(id, [H264_SETS[sets].sps], [H264_SETS[sets].pps]);
export const hevc = (id = 0): VideoTrack => hevcTrack(id, [HEVC_SETS.vps], [HEVC_SETS.sps], [HEVC_SETS.pps]);
export const aac = (id = 0, sampleRate = 48_000, channelConfig = 2, language?: string): AudioTrack => ({
  ...aacTrack(id, buildAudioSpecificConfig({ objectType: 2, sampleRate, channelConfig })),
  ...(language !== undefined && { language }),
});
export const opus = (id = 0, channels = 2): AudioTrack => opusTrack(id, defaultOpusConfig(channels, 312));

/** 128 kbit/s, 48 kHz, stereo: 384 bytes a frame. */
const MP3_HEADER = hex("fffb9404");
export const mp3 = (id = 0): AudioTrack => {
  const header = parseMp3Header(MP3_HEADER);
  if (header === undefined) throw new Error("no MP3 header");
  return mp3Track(id, header);
};

/** A slice NAL unit that begins a picture. @param body anything; it is made fit for a NAL unit. */
export function slice(codec: "h264" | "hevc", keyframe: boolean, body: Uint8Array, first = true): Uint8Array {
  const header = codec === "h264" ? [keyframe ? 0x65 : 0x41] : [keyframe ? 0x26 : 0x02, 0x01];
  // first_mb_in_slice 0 is the bit 1, as is first_slice_segment_in_pic_flag.
  return fromRbsp(Uint8Array.from([...header, first ? 0x88 : 0x48, ...body, 0x80]));
}

/** NAL units as an access unit stores them. */
export function lengthPrefixed(...nals: readonly Uint8Array[]): Uint8Array {
  return bytes(...nals.flatMap((nal) => [Uint8Array.of(0, 0, nal.length >> 8, nal.length & 0xff), nal]));
}

/** NAL units as a transport stream carries them. */
export function annexB(...nals: readonly Uint8Array[]): Uint8Array {
  return bytes(...nals.flatMap((nal) => [Uint8Array.of(0, 0, 0, 1), nal]));
}

export function opusPacket(body: Uint8Array): Uint8Array {
  return bytes(Uint8Array.of(0xfc), body); // CELT, 20 ms, stereo, one frame
}

export function mp3Frame(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(384);
  frame.set(body.subarray(0, 380), 4);
  frame.set(MP3_HEADER);
  return frame;
}

export function adtsFrame(body: Uint8Array, sampleRate = 48_000): Uint8Array {
  return buildAdtsFrame({ objectType: 2, sampleRate, channelConfig: 2 }, body);
}

/** AAC LC, 48 kHz, mono. */
export const LATM_CONFIG = 0x1188;

/**
 * An AudioSyncStream with one AudioMuxElement: a StreamMuxConfig and a payload for each frame.
 * @param sameMux leave the StreamMuxConfig out.
 */
export function latmElement(frames: readonly Uint8Array[], sameMux = false): Uint8Array {
  const writer = new BitWriter().flag(sameMux);
  if (!sameMux) {
    writer
      .flag(false)
      .flag(true)
      .u(6, frames.length - 1)
      .u(4, 0)
      .u(3, 0); // version, framing, subframes, program, layer
    writer.u(16, LATM_CONFIG).u(3, 0).u(8, 0xff).flag(false).flag(false);
  }
  for (const frame of frames) {
    let length = frame.length;
    for (; length >= 255; length -= 255) writer.u(8, 255);
    writer.u(8, length).bytes(frame);
  }
  const element = writer.toBytes();
  return bytes(Uint8Array.of(0x56, 0xe0 | (element.length >> 8), element.length & 0xff), element);
}

export function bytes(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, "hex"));
}

export interface MadePes {
  readonly pid: number;
  readonly es: Uint8Array;
  readonly pts?: number;
  readonly dts?: number;
  /** PES_packet_length 0. */
  readonly unbounded?: boolean;
  readonly randomAccess?: boolean;
  readonly discontinuity?: boolean;
  readonly pcr?: number;
  readonly streamId?: number;
}

/** Makes transport streams packet by packet, also such as no multiplexer should. */
export class MadeStream {
  readonly packets: Uint8Array[] = [];
  readonly #counters = new Map<number, number>();
  #version = 0;

  tables(streams: readonly { pid: number; streamType: number; descriptors?: readonly Descriptor[] }[]): this {
    const pmtStreams = streams.map((stream) => ({ descriptors: [], ...stream }));
    this.section(0, buildPat(1, 0, 1, 0x1000));
    const version = this.#version++;
    this.section(
      0x1000,
      buildPmt({ version, programNumber: 1, pcrPid: streams[0]?.pid ?? 0x1fff, streams: pmtStreams }),
    );
    return this;
  }

  section(pid: number, section: Uint8Array): this {
    return this.#add(pid, sectionPackets(pid, section));
  }

  pes(made: MadePes): this {
    const { pts, dts, es } = made;
    const header = new Uint8Array(pts === undefined ? 9 : dts === undefined ? 14 : 19);
    const length = made.unbounded === true ? 0 : header.length - 6 + es.length;
    header.set([0, 0, 1, made.streamId ?? 0xe0, length >> 8, length, 0x80, 0, header.length - 9]);
    if (pts !== undefined) {
      header[7] = dts === undefined ? 0x80 : 0xc0;
      writeTimestamp(header, 9, dts === undefined ? 2 : 3, pts);
    }
    if (dts !== undefined) writeTimestamp(header, 14, 1, dts);
    const flags = {
      randomAccess: made.randomAccess ?? false,
      discontinuity: made.discontinuity ?? false,
      pcrBase: made.pcr ?? -1,
    };
    const size = header.length + es.length;
    const out = new Uint8Array(packetsFor(size, flags) * TS_PACKET_SIZE);
    const writer = new PacketWriter();
    writer.begin(out, 0, made.pid, 0, size, flags);
    writer.write(header);
    writer.write(es);
    return this.#add(made.pid, out);
  }

  /** Counts packets of a PID that were added by hand. */
  skipCounters(pid: number, count: number): this {
    this.#counters.set(pid, ((this.#counters.get(pid) ?? 0) + count) % 16);
    return this;
  }

  get bytes(): Uint8Array {
    return bytes(...this.packets);
  }

  /** Divides `out` into packets and gives them their continuity counters. */
  #add(pid: number, out: Uint8Array): this {
    for (let at = 0; at < out.length; at += TS_PACKET_SIZE) {
      const packet = out.slice(at, at + TS_PACKET_SIZE);
      const counter = this.#counters.get(pid) ?? 0;
      packet[3] = ((packet[3] as number) & 0xf0) | counter;
      this.#counters.set(pid, (counter + 1) % 16);
      this.packets.push(packet);
    }
    return this;
  }
}

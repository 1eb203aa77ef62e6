import { randomInt } from "node:crypto";
import { type AccessUnit, TICKS_PER_SECOND } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { OPUS_SAMPLE_RATE } from "../opus/opus-config.ts";
import { opusPacketSamples } from "../opus/opus-packet.ts";
import { Av1Packetizer } from "./av1-packetizer.ts";
import { H264Packetizer } from "./h264-packetizer.ts";
import { OpusPacketizer } from "./opus-packetizer.ts";
import type { AccessUnitPacketizer, PayloadWriter } from "./payload-writer.ts";
import { type RtpHeaderExtension, rtpHeaderBytes, writeRtpHeader, writeU16, writeU32 } from "./rtp-packet.ts";
import { writeSenderReport } from "./sender-report.ts";
import { Vp8Packetizer } from "./vp8-packetizer.ts";
import { Vp9Packetizer } from "./vp9-packetizer.ts";

/** What can be sent; by the names of `Track.codec`. */
export type RtpPayloadCodec = "h264" | "vp8" | "vp9" | "av1" | "opus";

export interface RtpPacketizerOptions {
  readonly codec: RtpPayloadCodec;
  readonly payloadType: number;
  readonly ssrc: number;
  /** Most bytes of an RTP packet, its header included; 1200 by default, which leaves room for SRTP, header extensions and IPv6. */
  readonly mtu?: number;
  /** Canonical name in sender reports: the same for all streams that belong together. Random by default. */
  readonly cname?: string;
  /** Header extensions, the same in every packet. */
  readonly extensions?: readonly RtpHeaderExtension[];
  /** Sequence number of the first packet; random by default (RFC 3550 § 5.1). */
  readonly sequenceNumber?: number;
  /** RTP timestamp of `pts` 0; random by default. */
  readonly timestampBase?: number;
}

const DEFAULT_MTU = 1200;
const MIN_MTU = 100;
/** Opus timestamps that differ by less from the count of samples were rounded on their way. 5 ms. */
const MAX_ROUNDING_SAMPLES = 240;

/**
 * Cuts the access units of one track into RTP packets. RTP timestamps are `pts` in the codec's clock (video 90 kHz, Opus
 * 48 kHz) from a random base.
 */
export class RtpPacketizer {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly #codec: AccessUnitPacketizer;
  readonly #writer: PacketWriter;
  readonly #isOpus: boolean;
  readonly #cname: string;
  readonly #timestampBase: number;
  /** Where the next Opus packet belongs if it follows without a gap, samples. */
  #nextSample: number | undefined;
  #afterGap = false;

  /** @throws RangeError for a payload type, SSRC or size that no packet can have. */
  constructor(options: RtpPacketizerOptions) {
    const { codec, payloadType, ssrc, mtu = DEFAULT_MTU } = options;
    if (!(payloadType >= 0 && payloadType <= 127)) throw new RangeError(`payload type ${payloadType}`);
    if (!(ssrc >= 0 && ssrc <= 0xffffffff)) throw new RangeError(`SSRC ${ssrc}`);
    this.ssrc = ssrc;
    this.payloadType = payloadType;
    this.#isOpus = codec === "opus";
    this.clockRate = this.#isOpus ? OPUS_SAMPLE_RATE : TICKS_PER_SECOND;
    this.#codec = packetizerOf(codec);
    this.#cname = options.cname ?? randomInt(2 ** 48 - 1).toString(36);
    this.#timestampBase = options.timestampBase ?? randomInt(2 ** 32);
    this.#writer = new PacketWriter(options, mtu);
  }

  /** Packets sent so far. */
  get packets(): number {
    return this.#writer.packets;
  }

  /** Bytes of payload sent so far. */
  get payloadBytes(): number {
    return this.#writer.payloadBytes;
  }

  /**
   * Sends an access unit.
   * @param send gets each packet, valid for the call only.
   * @throws MediaError where the access unit is not one of this codec.
   */
  push(unit: AccessUnit, send: (packet: Buffer) => void): void {
    this.#writer.begin(this.#timestampOf(unit), send);
    this.#codec.packetize(unit, this.#writer, this.#afterGap);
  }

  /**
   * A compound RTCP packet with a sender report, which tells receivers how this stream lies to others of the same sender.
   * @param nowWallMs Unix time, ms.
   * @param ticks where the timeline of `pts` is at that moment, 90 kHz.
   */
  senderReport(nowWallMs: number, ticks: number): Buffer {
    return writeSenderReport(
      {
        ssrc: this.ssrc,
        ntpMs: nowWallMs,
        rtpTimestamp: this.#timestampAt(Math.round((ticks * this.clockRate) / TICKS_PER_SECOND)),
        packets: this.packets,
        bytes: this.payloadBytes,
      },
      this.#cname,
    );
  }

  #timestampOf(unit: AccessUnit): number {
    if (!this.#isOpus) return this.#timestampAt(unit.pts);
    // Receivers take every deviation from the count of samples for a hole: those of rounding are taken out.
    let sample = Math.round((unit.pts * OPUS_SAMPLE_RATE) / TICKS_PER_SECOND);
    const next = this.#nextSample;
    this.#afterGap = next === undefined || Math.abs(sample - next) >= MAX_ROUNDING_SAMPLES;
    if (next !== undefined && !this.#afterGap) sample = next;
    this.#nextSample = sample + opusPacketSamples(unit.data);
    return this.#timestampAt(sample);
  }

  #timestampAt(units: number): number {
    return (this.#timestampBase + units) % 2 ** 32;
  }
}

function packetizerOf(codec: RtpPayloadCodec): AccessUnitPacketizer {
  switch (codec) {
    case "h264":
      return new H264Packetizer();
    case "vp8":
      return new Vp8Packetizer();
    case "vp9":
      return new Vp9Packetizer();
    case "av1":
      return new Av1Packetizer();
    case "opus":
      return new OpusPacketizer();
  }
}

/** One packet's memory, filled again for each. */
class PacketWriter implements PayloadWriter {
  readonly capacity: number;
  readonly #packet: Buffer;
  readonly #payloadType: number;
  readonly #payloadStart: number;
  /** Views of the packet's memory by their length, made when first needed. */
  readonly #views: (Buffer | undefined)[];
  #at: number;
  #sequenceNumber: number;
  #send: (packet: Buffer) => void = () => undefined;
  packets = 0;
  payloadBytes = 0;

  constructor(options: RtpPacketizerOptions, mtu: number) {
    const header = {
      marker: false,
      payloadType: options.payloadType,
      sequenceNumber: 0,
      timestamp: 0,
      ssrc: options.ssrc,
      ...(options.extensions === undefined ? {} : { extensions: options.extensions }),
    };
    const headerBytes = rtpHeaderBytes(header);
    if (!(mtu - headerBytes >= MIN_MTU && mtu <= 0xffff)) throw new RangeError(`RTP packets of at most ${mtu} bytes`);
    this.#packet = Buffer.alloc(mtu);
    this.#views = new Array<Buffer | undefined>(mtu + 1).fill(undefined);
    this.#payloadStart = writeRtpHeader(this.#packet, header);
    this.#at = this.#payloadStart;
    this.capacity = mtu - this.#payloadStart;
    this.#payloadType = options.payloadType;
    this.#sequenceNumber = options.sequenceNumber ?? randomInt(2 ** 16);
  }

  /** What follows is of one access unit. */
  begin(timestamp: number, send: (packet: Buffer) => void): void {
    this.#send = send;
    this.#at = this.#payloadStart;
    writeU32(this.#packet, 4, timestamp);
  }

  get room(): number {
    return this.#packet.length - this.#at;
  }

  get empty(): boolean {
    return this.#at === this.#payloadStart;
  }

  byte(value: number): void {
    this.#packet[this.#at] = value;
    this.#at += 1;
  }

  setFirst(value: number): void {
    this.#packet[this.#payloadStart] = value;
  }

  u16(value: number): void {
    writeU16(this.#packet, this.#at, value);
    this.#at += 2;
  }

  bytes(source: Buffer, start: number, end: number): void {
    if (end - start > this.room) throw new MediaError("malformed", "more than fits an RTP packet");
    source.copy(this.#packet, this.#at, start, end);
    this.#at += end - start;
  }

  send(marker: boolean): void {
    const packet = this.#packet;
    packet[1] = (marker ? 0x80 : 0) | this.#payloadType;
    writeU16(packet, 2, this.#sequenceNumber);
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.packets += 1;
    this.payloadBytes += this.#at - this.#payloadStart;
    const length = this.#at;
    this.#at = this.#payloadStart;
    let view = this.#views[length];
    if (view === undefined) {
      view = packet.subarray(0, length);
      this.#views[length] = view;
    }
    this.#send(view);
  }
}

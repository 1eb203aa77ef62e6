import { ADTS_HEADER_BYTES, writeAdtsHeader } from "../aac/adts.ts";
import { parseAudioSpecificConfig } from "../aac/audio-specific-config.ts";
import type { AccessUnit, AudioTrack, Track, VideoTrack } from "../access-unit.ts";
import { parseAvcConfig } from "../h264/avc-config.ts";
import { parseHevcConfig } from "../hevc/hevc-config.ts";
import { MediaError } from "../media-error.ts";
import { NalSpans } from "../nal/nal-spans.ts";
import { parseDops } from "../opus/opus-config.ts";
import { opusControlHeaderBytes, writeOpusControlHeader } from "./opus-pes-framer.ts";
import type { PacketWriter } from "./packet-writer.ts";
import { STREAM_ID_AUDIO, STREAM_ID_PRIVATE_1, STREAM_ID_VIDEO } from "./pes-header.ts";
import type { Descriptor } from "./psi.ts";
import { DESCRIPTOR_TAG, OPUS_EXTENSION_TAG, STREAM_TYPE } from "./stream-kind.ts";

/** How access units of one track become the payload of PES packets. */
export interface MuxPayload {
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];
  /** stream_id of the PES packets. */
  readonly streamId: number;
  /**
   * Bytes that `write` is going to write for the same access unit.
   * @throws MediaError when it is malformed.
   */
  measure(unit: AccessUnit): number;
  /** Writes the access unit that was measured last. */
  write(unit: AccessUnit, writer: PacketWriter): void;
}

const START_CODE = Uint8Array.of(0, 0, 0, 1);
/** Access unit delimiters with their start codes; primary_pic_type 7 and pic_type 2: any slices. */
const H264_DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0);
const HEVC_DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x46, 0x01, 0x50);

/** Lowest rate of MPEG-1 audio, Hz: those below are MPEG-2's. */
const LOWEST_MPEG1_RATE = 32_000;

const OPUS_MAX_TRIM = 0x1fff;

/** @throws MediaError when transport streams cannot carry the track, or its configuration is malformed. */
export function muxPayload(track: Track): MuxPayload {
  switch (track.codec) {
    case "h264": {
      const { sps, pps } = parseAvcConfig(track.config);
      return new NalPayload(STREAM_TYPE.H264, [], H264_DELIMITER, [...sps, ...pps]);
    }
    case "hevc": {
      const { vps, sps, pps } = parseHevcConfig(track.config);
      return new NalPayload(STREAM_TYPE.HEVC, [registration("HEVC")], HEVC_DELIMITER, [...vps, ...sps, ...pps]);
    }
    case "aac":
      return new AdtsPayload(track);
    case "mp3":
      return new PlainPayload(
        track.sampleRate < LOWEST_MPEG1_RATE ? STREAM_TYPE.MPEG2_AUDIO : STREAM_TYPE.MPEG1_AUDIO,
        language(track),
      );
    case "opus":
      return new OpusPayload(track);
    default:
      throw new MediaError("unsupported", `${(track as VideoTrack).codec} in an MPEG transport stream`);
  }
}

/** H.264 or HEVC: NAL units behind start codes, a delimiter in front, parameter sets before every keyframe. */
class NalPayload implements MuxPayload {
  readonly streamId = STREAM_ID_VIDEO;
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];
  readonly #delimiter: Uint8Array;
  readonly #delimiterAndSets: Uint8Array;
  readonly #spans = new NalSpans();

  constructor(
    streamType: number,
    descriptors: readonly Descriptor[],
    delimiter: Uint8Array,
    sets: readonly Uint8Array[],
  ) {
    this.streamType = streamType;
    this.descriptors = descriptors;
    this.#delimiter = delimiter;
    this.#delimiterAndSets = Buffer.concat([delimiter, ...sets.flatMap((set) => [START_CODE, set])]);
  }

  measure(unit: AccessUnit): number {
    this.#spans.scanLengthPrefixed(unit.data, 4);
    return this.#prefix(unit).length + 4 * this.#spans.count + this.#spans.payloadBytes;
  }

  write(unit: AccessUnit, writer: PacketWriter): void {
    writer.write(this.#prefix(unit));
    const spans = this.#spans;
    for (let i = 0; i < spans.count; i += 1) {
      writer.write(START_CODE);
      writer.write(unit.data, spans.start(i), spans.end(i));
    }
  }

  #prefix(unit: AccessUnit): Uint8Array {
    return unit.keyframe ? this.#delimiterAndSets : this.#delimiter;
  }
}

class AdtsPayload implements MuxPayload {
  readonly streamType = STREAM_TYPE.AAC_ADTS;
  readonly streamId = STREAM_ID_AUDIO;
  readonly descriptors: readonly Descriptor[];
  readonly #config: ReturnType<typeof parseAudioSpecificConfig>;
  readonly #header = new Uint8Array(ADTS_HEADER_BYTES);

  constructor(track: AudioTrack) {
    this.#config = parseAudioSpecificConfig(track.config);
    if (this.#config.channelConfig === 0 || this.#config.coreFrameLength !== 1024) {
      throw new MediaError("unsupported", "AAC configuration that ADTS cannot tell");
    }
    writeAdtsHeader(this.#header, 0, this.#config, 0);
    this.descriptors = language(track);
  }

  measure(unit: AccessUnit): number {
    writeAdtsHeader(this.#header, 0, this.#config, unit.data.length);
    return ADTS_HEADER_BYTES + unit.data.length;
  }

  write(unit: AccessUnit, writer: PacketWriter): void {
    writer.write(this.#header);
    writer.write(unit.data);
  }
}

/** MPEG audio: frames carry their own headers. */
class PlainPayload implements MuxPayload {
  readonly streamId = STREAM_ID_AUDIO;
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];

  constructor(streamType: number, descriptors: readonly Descriptor[]) {
    this.streamType = streamType;
    this.descriptors = descriptors;
  }

  measure(unit: AccessUnit): number {
    return unit.data.length;
  }

  write(unit: AccessUnit, writer: PacketWriter): void {
    writer.write(unit.data);
  }
}

/** Opus behind control headers; the pre-skip goes with the first packet. */
class OpusPayload implements MuxPayload {
  readonly streamType = STREAM_TYPE.PRIVATE_PES;
  readonly streamId = STREAM_ID_PRIVATE_1;
  readonly descriptors: readonly Descriptor[];
  #startTrim: number;
  #header = new Uint8Array(64);
  #headerBytes = 0;

  constructor(track: AudioTrack) {
    const { channels, mappingFamily, preSkip } = parseDops(track.config);
    if (channels > 8 || mappingFamily > 1) throw new MediaError("unsupported", "Opus channels in an unusual order");
    this.#startTrim = Math.min(preSkip, OPUS_MAX_TRIM);
    this.descriptors = [
      registration("Opus"),
      { tag: DESCRIPTOR_TAG.DVB_EXTENSION, data: Uint8Array.of(OPUS_EXTENSION_TAG, channels) },
      ...language(track),
    ];
  }

  measure(unit: AccessUnit): number {
    this.#headerBytes = opusControlHeaderBytes(unit.data.length, this.#startTrim);
    return this.#headerBytes + unit.data.length;
  }

  write(unit: AccessUnit, writer: PacketWriter): void {
    if (this.#header.length < this.#headerBytes) this.#header = new Uint8Array(this.#headerBytes);
    writeOpusControlHeader(this.#header, 0, unit.data.length, this.#startTrim);
    this.#startTrim = 0;
    writer.write(this.#header, 0, this.#headerBytes);
    writer.write(unit.data);
  }
}

function registration(letters: string): Descriptor {
  return { tag: DESCRIPTOR_TAG.REGISTRATION, data: Buffer.from(letters, "latin1") };
}

function language(track: AudioTrack): Descriptor[] {
  if (track.language === undefined || !/^[a-z]{3}$/.test(track.language)) return [];
  return [{ tag: DESCRIPTOR_TAG.LANGUAGE, data: Uint8Array.from([...Buffer.from(track.language, "latin1"), 0]) }];
}

import type { AudioTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";

/** What OpusHead (RFC 7845 5.1) and dOps (Encapsulation of Opus in ISOBMFF 4.3.2) both tell. */
export interface OpusConfig {
  readonly channels: number;
  /** Samples at 48 kHz to throw away at the start. */
  readonly preSkip: number;
  /** Hz, of the encoder's input; decoding is at 48 kHz whatever it says. 0 for unknown. */
  readonly inputSampleRate: number;
  /** Q7.8 dB. */
  readonly outputGain: number;
  /** 0 mono or stereo, 1 Vorbis channel order, 255 no order. */
  readonly mappingFamily: number;
  /** Absent in family 0. */
  readonly mapping:
    | { readonly streams: number; readonly coupled: number; readonly channels: readonly number[] }
    | undefined;
}

export const OPUS_SAMPLE_RATE = 48_000;

const OPUS_HEAD = [0x4f, 0x70, 0x75, 0x73, 0x48, 0x65, 0x61, 0x64];

/** Stream count, coupled count and channel mapping by number of channels, family 1 (RFC 7845 5.1.1.2). */
const VORBIS_MAPPINGS: readonly { streams: number; coupled: number; channels: readonly number[] }[] = [
  { streams: 1, coupled: 0, channels: [0] },
  { streams: 1, coupled: 1, channels: [0, 1] },
  { streams: 2, coupled: 1, channels: [0, 2, 1] },
  { streams: 2, coupled: 2, channels: [0, 1, 2, 3] },
  { streams: 3, coupled: 2, channels: [0, 4, 1, 2, 3] },
  { streams: 4, coupled: 2, channels: [0, 4, 1, 2, 3, 5] },
  { streams: 4, coupled: 3, channels: [0, 4, 1, 2, 3, 5, 6] },
  { streams: 5, coupled: 3, channels: [0, 6, 1, 2, 3, 4, 5, 7] },
];

/** A configuration for so many channels (1 to 8) in the usual order. @throws MediaError */
export function defaultOpusConfig(channels: number, preSkip = 312): OpusConfig {
  const mapping = VORBIS_MAPPINGS[channels - 1];
  if (mapping === undefined) throw new MediaError("unsupported", `Opus with ${channels} channels`);
  const family = channels > 2 ? 1 : 0;
  return {
    channels,
    preSkip,
    inputSampleRate: OPUS_SAMPLE_RATE,
    outputGain: 0,
    mappingFamily: family,
    mapping: family === 0 ? undefined : mapping,
  };
}

/** @throws MediaError */
export function parseOpusHead(data: Uint8Array): OpusConfig {
  if (data.length < 19) throw new MediaError("truncated", "OpusHead shorter than its fixed fields");
  if (!OPUS_HEAD.every((byte, i) => data[i] === byte)) throw new MediaError("malformed", "no OpusHead");
  if (((data[8] as number) & 0xf0) !== 0) throw new MediaError("unsupported", `OpusHead version ${data[8]}`);
  return parseFields(data, 9, true);
}

/** Parses the payload of a dOps box. @throws MediaError */
export function parseDops(data: Uint8Array): OpusConfig {
  if (data.length < 11) throw new MediaError("truncated", "dOps shorter than its fixed fields");
  if (data[0] !== 0) throw new MediaError("unsupported", `dOps version ${data[0]}`);
  return parseFields(data, 1, false);
}

export function buildOpusHead(config: OpusConfig): Uint8Array {
  const out = new Uint8Array(19 + mappingBytes(config));
  out.set(OPUS_HEAD);
  out[8] = 1;
  writeFields(out, 9, config, true);
  return out;
}

/** Builds the payload of a dOps box. */
export function buildDops(config: OpusConfig): Uint8Array {
  const out = new Uint8Array(11 + mappingBytes(config));
  writeFields(out, 1, config, false);
  return out;
}

/** The track that an Opus configuration describes; its `config` is the dOps payload. */
export function opusTrack(id: number, config: OpusConfig): AudioTrack {
  return {
    kind: "audio",
    id,
    codec: "opus",
    config: buildDops(config),
    codecString: "opus",
    sampleRate: OPUS_SAMPLE_RATE,
    channels: config.channels,
  };
}

function parseFields(data: Uint8Array, at: number, littleEndian: boolean): OpusConfig {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const channels = data[at] as number;
  const mappingFamily = data[at + 9] as number;
  if (channels === 0) throw new MediaError("malformed", "Opus without channels");
  if (mappingFamily === 0 && channels > 2)
    throw new MediaError("malformed", "Opus family 0 with more than two channels");
  let mapping: OpusConfig["mapping"];
  if (mappingFamily !== 0) {
    const table = at + 10;
    if (table + 2 + channels > data.length) throw new MediaError("truncated", "Opus channel mapping cut off");
    const streams = data[table] as number;
    const coupled = data[table + 1] as number;
    if (streams === 0 || coupled > streams)
      throw new MediaError("malformed", "Opus with an impossible channel mapping");
    mapping = { streams, coupled, channels: [...data.subarray(table + 2, table + 2 + channels)] };
  }
  return {
    channels,
    preSkip: view.getUint16(at + 1, littleEndian),
    inputSampleRate: view.getUint32(at + 3, littleEndian),
    outputGain: view.getInt16(at + 7, littleEndian),
    mappingFamily,
    mapping,
  };
}

function writeFields(out: Uint8Array, at: number, config: OpusConfig, littleEndian: boolean): void {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  out[at] = config.channels;
  view.setUint16(at + 1, config.preSkip, littleEndian);
  view.setUint32(at + 3, config.inputSampleRate, littleEndian);
  view.setInt16(at + 7, config.outputGain, littleEndian);
  out[at + 9] = config.mappingFamily;
  if (config.mapping !== undefined)
    out.set([config.mapping.streams, config.mapping.coupled, ...config.mapping.channels], at + 10);
}

function mappingBytes(config: OpusConfig): number {
  return config.mapping === undefined ? 0 : 2 + config.mapping.channels.length;
}

import { BitReader } from "../bits/bit-reader.ts";
import { BitWriter } from "../bits/bit-writer.ts";
import { MediaError } from "../media-error.ts";

/** AudioSpecificConfig, ISO/IEC 14496-3 1.6.2.1, as far as AAC goes. */
export interface AudioSpecificConfig {
  /** Of the core coder: 1 Main, 2 LC, 3 SSR, 4 LTP, 17 ER LC, 23 ER LD, 39 ER ELD … */
  readonly objectType: number;
  /** Hz, of the core coder. */
  readonly sampleRate: number;
  /** channelConfiguration; 0 means that a program config element tells. */
  readonly channelConfig: number;
  /** Output channels of the core coder (PS not counted). */
  readonly channels: number;
  /** Samples a channel in one frame of the core coder: 1024 or 960; 512 or 480 for LD and ELD. */
  readonly coreFrameLength: number;
  /** Explicitly signalled spectral band replication: its output rate, Hz. */
  readonly sbrSampleRate: number | undefined;
  /** Explicitly signalled parametric stereo. */
  readonly parametricStereo: boolean;
}

export const AAC_SAMPLE_RATES: readonly number[] = [
  96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];

const CHANNELS_BY_CONFIG: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  3: 3,
  4: 4,
  5: 5,
  6: 6,
  7: 8,
  11: 7,
  12: 8,
  13: 24,
  14: 8,
};

const AOT_SBR = 5;
const AOT_PS = 29;
const AOT_ELD = 39;
const AOT_ESCAPE = 31;
const GA_OBJECT_TYPES = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);
const RATE_ESCAPE = 15;
const SYNC_EXTENSION_SBR = 0x2b7;
const SYNC_EXTENSION_PS = 0x548;
const MAX_SAMPLE_RATE = 192_000;

/**
 * Parses an AudioSpecificConfig, SBR and PS in both explicit forms (hierarchical and backward compatible) included.
 * @throws MediaError `unsupported` for audio object types that are not AAC.
 */
export function parseAudioSpecificConfig(data: Uint8Array): AudioSpecificConfig {
  const reader = new BitReader(data);
  let objectType = readObjectType(reader);
  const sampleRate = readSampleRate(reader);
  const channelConfig = reader.u(4);
  let sbrSampleRate: number | undefined;
  let parametricStereo = false;
  if (objectType === AOT_SBR || objectType === AOT_PS) {
    parametricStereo = objectType === AOT_PS;
    sbrSampleRate = readSampleRate(reader);
    objectType = readObjectType(reader);
    if (objectType === 22) reader.skip(4); // extensionChannelConfiguration
  }

  let channels = CHANNELS_BY_CONFIG[channelConfig] ?? 0;
  let shortFrames: boolean;
  if (objectType === AOT_ELD) {
    shortFrames = reader.flag();
    return finish(480, 512);
  }
  if (!GA_OBJECT_TYPES.has(objectType))
    throw new MediaError("unsupported", `audio object type ${objectType} is not AAC`);
  shortFrames = reader.flag();
  if (reader.flag()) reader.skip(14); // coreCoderDelay
  const extension = reader.flag();
  if (channelConfig === 0) channels = readProgramConfigChannels(reader);
  if (objectType === 6 || objectType === 20) reader.skip(3); // layerNr
  if (extension) {
    if (objectType === 22) reader.skip(16); // numOfSubFrame, layer_length
    if ([17, 19, 20, 23].includes(objectType)) reader.skip(3); // resilience flags
    reader.skip(1); // extensionFlag3
  }
  if (objectType >= 17 && reader.bitsLeft >= 2) reader.skip(2); // epConfig
  if (sbrSampleRate === undefined) readSyncExtension();
  return objectType === 23 ? finish(480, 512) : finish(960, 1024);

  /** The backward compatible form: what follows is outside the configuration that an old decoder reads. */
  function readSyncExtension(): void {
    if (reader.bitsLeft < 16 || reader.u(11) !== SYNC_EXTENSION_SBR || reader.u(5) !== AOT_SBR) return;
    if (reader.bitsLeft < 5 || !reader.flag()) return;
    sbrSampleRate = readSampleRate(reader);
    if (reader.bitsLeft >= 12 && reader.u(11) === SYNC_EXTENSION_PS) parametricStereo = reader.flag();
  }

  function finish(short: number, long: number): AudioSpecificConfig {
    if (channels === 0) throw new MediaError("malformed", `AAC channel configuration ${channelConfig}`);
    const coreFrameLength = shortFrames ? short : long;
    return { objectType, sampleRate, channelConfig, channels, coreFrameLength, sbrSampleRate, parametricStereo };
  }
}

/**
 * Builds an AudioSpecificConfig for AAC Main, LC, SSR or LTP, SBR and PS in the hierarchical explicit form.
 * @param config `channelConfig` 1 to 7; escape-coded sample rates are written where the table has none.
 * @throws MediaError `unsupported` for what this form cannot tell.
 */
export function buildAudioSpecificConfig(config: {
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channelConfig: number;
  readonly sbrSampleRate?: number | undefined;
  readonly parametricStereo?: boolean;
}): Uint8Array {
  if (config.objectType < 1 || config.objectType > 4) {
    throw new MediaError("unsupported", `audio object type ${config.objectType} in a built AudioSpecificConfig`);
  }
  if (config.channelConfig < 1 || config.channelConfig > 7) {
    throw new MediaError("unsupported", `channel configuration ${config.channelConfig} in a built AudioSpecificConfig`);
  }
  const writer = new BitWriter();
  const sbr = config.sbrSampleRate !== undefined;
  writer.u(5, sbr ? (config.parametricStereo === true ? AOT_PS : AOT_SBR) : config.objectType);
  writeSampleRate(writer, config.sampleRate);
  writer.u(4, config.channelConfig);
  if (config.sbrSampleRate !== undefined) {
    writeSampleRate(writer, config.sbrSampleRate);
    writer.u(5, config.objectType);
  }
  return writer.u(3, 0).toBytes(); // GASpecificConfig: frames of 1024, no core coder, no extension
}

function readObjectType(reader: BitReader): number {
  const type = reader.u(5);
  return type === AOT_ESCAPE ? 32 + reader.u(6) : type;
}

function readSampleRate(reader: BitReader): number {
  const index = reader.u(4);
  const rate = index === RATE_ESCAPE ? reader.u(24) : AAC_SAMPLE_RATES[index];
  if (rate === undefined || rate === 0 || rate > MAX_SAMPLE_RATE)
    throw new MediaError("malformed", "impossible AAC sample rate");
  return rate;
}

function writeSampleRate(writer: BitWriter, rate: number): void {
  const index = AAC_SAMPLE_RATES.indexOf(rate);
  if (index >= 0) writer.u(4, index);
  else writer.u(4, RATE_ESCAPE).u(24, rate);
}

/** Channels of a program_config_element, ISO/IEC 14496-3 table 4.2. */
function readProgramConfigChannels(reader: BitReader): number {
  reader.skip(4 + 2 + 4); // element_instance_tag, object_type, sampling_frequency_index
  const front = reader.u(4);
  const side = reader.u(4);
  const back = reader.u(4);
  const lfe = reader.u(2);
  const associated = reader.u(3);
  const coupling = reader.u(4);
  if (reader.flag()) reader.skip(4); // mono_mixdown_element_number
  if (reader.flag()) reader.skip(4); // stereo_mixdown_element_number
  if (reader.flag()) reader.skip(3); // matrix_mixdown_idx, pseudo_surround_enable
  let channels = lfe;
  for (let i = 0; i < front + side + back; i += 1) {
    channels += reader.flag() ? 2 : 1; // is_cpe
    reader.skip(4);
  }
  reader.skip(4 * lfe + 4 * associated + 5 * coupling);
  reader.align();
  const commentBytes = reader.u(8);
  reader.skip(8 * commentBytes);
  return channels;
}

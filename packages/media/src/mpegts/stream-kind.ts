import type { Descriptor, ElementaryStreamInfo } from "./psi.ts";

/** stream_type, ISO/IEC 13818-1 table 2-34 and the registrations of others. */
export const STREAM_TYPE = {
  MPEG1_AUDIO: 0x03,
  MPEG2_AUDIO: 0x04,
  PRIVATE_SECTIONS: 0x05,
  PRIVATE_PES: 0x06,
  DSM_CC_SECTIONS: 0x0b,
  AAC_ADTS: 0x0f,
  AAC_LATM: 0x11,
  METADATA_PES: 0x15,
  H264: 0x1b,
  HEVC: 0x24,
  SCTE35: 0x86,
} as const;

export const DESCRIPTOR_TAG = {
  REGISTRATION: 0x05,
  LANGUAGE: 0x0a,
  DVB_TELETEXT: 0x56,
  DVB_SUBTITLE: 0x59,
  DVB_AC3: 0x6a,
  DVB_EAC3: 0x7a,
  DVB_EXTENSION: 0x7f,
} as const;

/** descriptor_tag_extension of the Opus audio descriptor, ETSI TS 101 154 annex and "Encapsulation of Opus in MPEG-TS". */
export const OPUS_EXTENSION_TAG = 0x80;

/** What an elementary stream carries, as far as the demultiplexer tells it apart. */
export type StreamKind = "h264" | "hevc" | "aac_adts" | "aac_latm" | "mp3" | "opus" | "ignored" | "unsupported";

/** Names of what is announced often and not read here; the key is stream_type or the registration's four letters. */
const UNSUPPORTED_NAMES: Readonly<Record<string, string>> = {
  1: "MPEG-1 video",
  2: "MPEG-2 video",
  16: "MPEG-4 video",
  32: "H.264 MVC",
  33: "JPEG 2000",
  51: "VVC",
  66: "AVS video",
  129: "AC-3",
  130: "DTS",
  135: "E-AC-3",
  234: "VC-1",
  "AC-3": "AC-3",
  EAC3: "E-AC-3",
  AV01: "AV1",
  BSSD: "SMPTE 302M audio",
  DTS1: "DTS",
  DTS2: "DTS",
  DTS3: "DTS",
  "VC-1": "VC-1",
};

/** Tells from stream_type and descriptors what a stream carries. */
export function streamKind(info: ElementaryStreamInfo): StreamKind {
  switch (info.streamType) {
    case STREAM_TYPE.H264:
      return "h264";
    case STREAM_TYPE.HEVC:
      return "hevc";
    case STREAM_TYPE.AAC_ADTS:
      return "aac_adts";
    case STREAM_TYPE.AAC_LATM:
      return "aac_latm";
    case STREAM_TYPE.MPEG1_AUDIO:
    case STREAM_TYPE.MPEG2_AUDIO:
      return "mp3";
    case STREAM_TYPE.PRIVATE_PES:
      return privateKind(info);
    case STREAM_TYPE.PRIVATE_SECTIONS:
    case STREAM_TYPE.DSM_CC_SECTIONS:
    case STREAM_TYPE.METADATA_PES:
    case STREAM_TYPE.SCTE35:
      return "ignored";
    default:
      return "unsupported";
  }
}

function privateKind(info: ElementaryStreamInfo): StreamKind {
  const registration = registrationOf(info);
  if (registration === "Opus" && opusChannelConfig(info) !== undefined) return "opus";
  if (registration === "HEVC") return "hevc";
  const text = info.descriptors.some(
    ({ tag }) => tag === DESCRIPTOR_TAG.DVB_TELETEXT || tag === DESCRIPTOR_TAG.DVB_SUBTITLE,
  );
  return text || registration === "ID3 " || registration === "KLVA" ? "ignored" : "unsupported";
}

/** Words for a stream that is not supported. */
export function streamName(info: ElementaryStreamInfo): string {
  const registration = registrationOf(info);
  if (find(info, DESCRIPTOR_TAG.DVB_AC3) !== undefined) return "AC-3";
  if (find(info, DESCRIPTOR_TAG.DVB_EAC3) !== undefined) return "E-AC-3";
  const name = UNSUPPORTED_NAMES[registration ?? ""] ?? UNSUPPORTED_NAMES[info.streamType];
  if (name !== undefined) return name;
  const type = `stream type 0x${info.streamType.toString(16).padStart(2, "0")}`;
  return registration === undefined ? type : `${type} (${registration})`;
}

/** The four letters of the registration descriptor, ISO/IEC 13818-1 2.6.8. */
export function registrationOf(info: ElementaryStreamInfo): string | undefined {
  const data = find(info, DESCRIPTOR_TAG.REGISTRATION)?.data;
  if (data === undefined || data.length < 4) return undefined;
  const letters = String.fromCharCode(...data.subarray(0, 4));
  return /^[\x20-\x7e]{4}$/.test(letters) ? letters : undefined;
}

/** ISO 639-2 code of the ISO 639 language descriptor, where it names a language. */
export function languageOf(info: ElementaryStreamInfo): string | undefined {
  const data = find(info, DESCRIPTOR_TAG.LANGUAGE)?.data;
  if (data === undefined || data.length < 3) return undefined;
  const code = String.fromCharCode(...data.subarray(0, 3)).toLowerCase();
  return /^[a-z]{3}$/.test(code) && code !== "und" ? code : undefined;
}

/** channel_config_code of the Opus audio descriptor. */
export function opusChannelConfig(info: ElementaryStreamInfo): number | undefined {
  for (const { tag, data } of info.descriptors) {
    if (tag === DESCRIPTOR_TAG.DVB_EXTENSION && data[0] === OPUS_EXTENSION_TAG) return data[1];
  }
  return undefined;
}

function find(info: ElementaryStreamInfo, tag: number): Descriptor | undefined {
  return info.descriptors.find((descriptor) => descriptor.tag === tag);
}

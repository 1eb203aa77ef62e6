import { type AmfObject, type AmfValue, amfObject, amfRecord } from "./amf-value.ts";

/** Bits of a FourCC's number in `videoFourCcInfoMap` and `audioFourCcInfoMap` (Enhanced RTMP v2). */
export const FOURCC_INFO = { canDecode: 1, canEncode: 2, canForward: 4 } as const;

/** Bits of `capsEx` (Enhanced RTMP v2). */
export const CAPS_EX = { reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 } as const;

/** What one end says in connect, or in its answer, about Enhanced RTMP. All empty: the end knows nothing of it. */
export interface EnhancedCapabilities {
  /** v1: FourCCs, or `*` for all. */
  readonly fourCcList: readonly string[];
  /** v2: FourCC (or `*`) to the bits of `FOURCC_INFO`. */
  readonly video: Readonly<Record<string, number>>;
  readonly audio: Readonly<Record<string, number>>;
  /** v2: the bits of `CAPS_EX`. */
  readonly capsEx: number;
}

/** What a server says that takes every codec Klieg knows. */
export const SERVER_CAPABILITIES: EnhancedCapabilities = {
  fourCcList: ["avc1", "hvc1", "av01", "vp09", "mp4a", "Opus", ".mp3"],
  video: {
    avc1: FOURCC_INFO.canForward,
    hvc1: FOURCC_INFO.canForward,
    av01: FOURCC_INFO.canForward,
    vp09: FOURCC_INFO.canForward,
  },
  audio: { mp4a: FOURCC_INFO.canForward, Opus: FOURCC_INFO.canForward, ".mp3": FOURCC_INFO.canForward },
  capsEx: CAPS_EX.multitrack | CAPS_EX.modEx,
};

const MAX_FOURCCS = 64;

/** Reads the capabilities out of a command object; what is missing or not of its type is taken as unsaid. */
export function readCapabilities(values: AmfObject): EnhancedCapabilities {
  const list = values.fourCcList;
  const capsEx = values.capsEx;
  return {
    fourCcList: Array.isArray(list) ? list.filter(isFourCc).slice(0, MAX_FOURCCS) : [],
    video: readInfoMap(values.videoFourCcInfoMap),
    audio: readInfoMap(values.audioFourCcInfoMap),
    capsEx: typeof capsEx === "number" && Number.isInteger(capsEx) && capsEx >= 0 ? capsEx >>> 0 : 0,
  };
}

/** The capabilities as properties of a command object; nothing where nothing is to be said. */
export function writeCapabilities(capabilities: EnhancedCapabilities): AmfObject {
  const values = amfObject();
  if (capabilities.fourCcList.length > 0) values.fourCcList = [...capabilities.fourCcList];
  if (Object.keys(capabilities.video).length > 0) values.videoFourCcInfoMap = amfObject(capabilities.video);
  if (Object.keys(capabilities.audio).length > 0) values.audioFourCcInfoMap = amfObject(capabilities.audio);
  if (capabilities.capsEx !== 0) values.capsEx = capabilities.capsEx;
  return values;
}

function isFourCc(value: AmfValue): value is string {
  return typeof value === "string" && value.length <= 4;
}

function readInfoMap(value: AmfValue): Record<string, number> {
  const map: Record<string, number> = Object.create(null);
  const entries = amfRecord(value) ?? {};
  for (const name of Object.keys(entries).slice(0, MAX_FOURCCS)) {
    const info = entries[name];
    if (isFourCc(name) && typeof info === "number") map[name] = info;
  }
  return map;
}

import { aacTrack } from "../aac/aac-track.ts";
import type { AudioTrack, Track, VideoTrack } from "../access-unit.ts";
import { av1TrackFromConfig } from "../av1/av1-track.ts";
import { h264TrackFromConfig } from "../h264/h264-track.ts";
import { hevcTrackFromConfig } from "../hevc/hevc-track.ts";
import { MediaError } from "../media-error.ts";
import { opusTrack, parseDops } from "../opus/opus-config.ts";
import { parseVp9Config, vp9CodecString } from "../vp9/vp9-config.ts";
import { demandBox, FieldReader, findBox, readBoxes } from "./box-reader.ts";

/** What the `moov` of a fragmented file says of one track. */
export interface MovieTrack {
  /** `track_ID` */
  readonly trackId: number;
  /** Units a second of its times. */
  readonly timescale: number;
  /** Four-character code of its sample entry. */
  readonly sampleEntry: string;
  /** What the sample entry describes; its `id` counts the tracks of its kind from 0. */
  readonly track: Track;
  readonly defaults: SampleDefaults;
}

/** `trex`, and what `tfhd` may replace of it. */
export interface SampleDefaults {
  readonly duration: number;
  readonly size: number;
  readonly flags: number;
}

const NO_DEFAULTS: SampleDefaults = { duration: 0, size: 0, flags: 0 };

/**
 * The tracks of a fragmented file that this package has a codec for; the others are left out. Edit lists are not
 * applied.
 * @param bytes a file or init segment with a `moov`.
 * @throws MediaError
 */
export function readMovie(bytes: Uint8Array): MovieTrack[] {
  const moov = demandBox(bytes, "moov");
  const defaults = new Map<number, SampleDefaults>();
  const mvex = findBox(moov, "mvex");
  if (mvex !== undefined) {
    for (const box of readBoxes(mvex)) {
      if (box.type !== "trex") continue;
      const fields = new FieldReader(box.payload);
      fields.skip(4);
      const trackId = fields.u32();
      fields.skip(4);
      defaults.set(trackId, { duration: fields.u32(), size: fields.u32(), flags: fields.u32() });
    }
  }
  const tracks: MovieTrack[] = [];
  const ids = { video: 0, audio: 0 };
  for (const box of readBoxes(moov)) {
    if (box.type !== "trak") continue;
    const trackId = readTrackId(demandBox(box.payload, "tkhd"));
    const mdia = demandBox(box.payload, "mdia");
    const { timescale, language } = readMediaHeader(demandBox(mdia, "mdhd"));
    const described = readSampleEntry(demandBox(mdia, "minf", "stbl", "stsd"), ids, language);
    if (described === undefined) continue;
    ids[described.track.kind] += 1;
    if (tracks.some((track) => track.trackId === trackId)) throw new MediaError("malformed", "two tracks of one id");
    tracks.push({ trackId, timescale, defaults: defaults.get(trackId) ?? NO_DEFAULTS, ...described });
  }
  return tracks;
}

function readTrackId(tkhd: Uint8Array): number {
  const fields = new FieldReader(tkhd);
  const { version } = fields.fullHeader();
  fields.skip(version === 1 ? 16 : 8);
  return fields.u32();
}

function readMediaHeader(mdhd: Uint8Array): { timescale: number; language: string } {
  const fields = new FieldReader(mdhd);
  const { version } = fields.fullHeader();
  fields.skip(version === 1 ? 16 : 8);
  const timescale = fields.u32();
  if (timescale === 0) throw new MediaError("malformed", "a timescale of 0");
  fields.skip(version === 1 ? 8 : 4);
  const packed = fields.u16();
  const letters = [packed >> 10, packed >> 5, packed].map((bits) => String.fromCharCode(0x60 + (bits & 0x1f)));
  return { timescale, language: letters.join("") };
}

function readSampleEntry(
  stsd: Uint8Array,
  ids: { readonly video: number; readonly audio: number },
  language: string,
): { sampleEntry: string; track: Track } | undefined {
  const fields = new FieldReader(stsd);
  fields.skip(4);
  if (fields.u32() === 0) throw new MediaError("malformed", "no sample entry");
  const [entry] = readBoxes(stsd.subarray(8));
  if (entry === undefined) throw new MediaError("malformed", "no sample entry");
  const video = readVideoEntry(entry.type, entry.payload, ids.video);
  if (video !== undefined) return { sampleEntry: entry.type, track: video };
  const audio = readAudioEntry(entry.type, entry.payload, ids.audio);
  if (audio === undefined) return undefined;
  return { sampleEntry: entry.type, track: language === "und" ? audio : { ...audio, language } };
}

/** Fixed fields of a VisualSampleEntry and an AudioSampleEntry, before the boxes in them. */
const VISUAL_FIELDS = 78;
const AUDIO_FIELDS = 28;

function readVideoEntry(type: string, entry: Uint8Array, id: number): VideoTrack | undefined {
  const boxes = entry.subarray(Math.min(VISUAL_FIELDS, entry.length));
  switch (type) {
    case "avc1":
    case "avc3":
      return h264TrackFromConfig(id, demandBox(boxes, "avcC"));
    case "hvc1":
    case "hev1":
      return hevcTrackFromConfig(id, demandBox(boxes, "hvcC"));
    case "av01":
      return av1TrackFromConfig(id, demandBox(boxes, "av1C"));
    case "vp09": {
      const config = demandBox(boxes, "vpcC");
      const fields = new FieldReader(entry);
      fields.skip(24);
      const parsed = parseVp9Config(config);
      return {
        kind: "video",
        id,
        codec: "vp9",
        config: Uint8Array.from(config),
        codecString: vp9CodecString(parsed),
        width: fields.u16(),
        height: fields.u16(),
        frameRate: undefined,
        profile: `Profile ${parsed.profile}`,
      };
    }
    default:
      return undefined;
  }
}

function readAudioEntry(type: string, entry: Uint8Array, id: number): AudioTrack | undefined {
  if (type !== "mp4a" && type !== "Opus") return undefined;
  const boxes = entry.subarray(Math.min(AUDIO_FIELDS, entry.length));
  if (type === "Opus") return opusTrack(id, parseDops(demandBox(boxes, "dOps")));
  const fields = new FieldReader(entry);
  fields.skip(16);
  const channels = fields.u16();
  fields.skip(6);
  const sampleRate = fields.u16();
  const { objectType, specificInfo } = readEsds(demandBox(boxes, "esds"));
  if (objectType === 0x40 && specificInfo !== undefined) return aacTrack(id, specificInfo);
  if (objectType !== 0x6b && objectType !== 0x69) return undefined;
  return {
    kind: "audio",
    id,
    codec: "mp3",
    config: new Uint8Array(0),
    codecString: "mp4a.40.34",
    sampleRate,
    channels,
  };
}

/** ISO 14496-14 §5.6, 14496-1 §7.2.6. */
function readEsds(esds: Uint8Array): { objectType: number; specificInfo: Uint8Array | undefined } {
  const es = readDescriptor(esds.subarray(Math.min(4, esds.length)), 0x03);
  const fields = new FieldReader(es);
  fields.skip(2);
  const flags = fields.u8();
  if ((flags & 0x80) !== 0) fields.skip(2);
  if ((flags & 0x40) !== 0) fields.skip(fields.u8());
  if ((flags & 0x20) !== 0) fields.skip(2);
  const decoderConfig = readDescriptor(es.subarray(es.length - fields.left), 0x04);
  const objectType = new FieldReader(decoderConfig).u8();
  const specific = decoderConfig.subarray(Math.min(13, decoderConfig.length));
  return { objectType, specificInfo: specific.length > 0 ? readDescriptor(specific, 0x05) : undefined };
}

/** The body of the descriptor that `bytes` begin with. @throws MediaError when it is not of `tag`. */
function readDescriptor(bytes: Uint8Array, tag: number): Uint8Array {
  const fields = new FieldReader(bytes);
  if (fields.u8() !== tag) throw new MediaError("malformed", `no descriptor 0x${tag.toString(16)}`);
  let length = 0;
  for (let i = 0; ; i += 1) {
    if (i === 4) throw new MediaError("malformed", "a descriptor length of more than four bytes");
    const byte = fields.u8();
    length = length * 128 + (byte & 0x7f);
    if (byte < 0x80) break;
  }
  if (length > fields.left) throw new MediaError("truncated", "a descriptor passes the end");
  const start = bytes.length - fields.left;
  return bytes.subarray(start, start + length);
}

import type { AccessUnit, AudioTrack, Track, VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { buildOpusHead, parseDops } from "../opus/opus-config.ts";
import {
  EX_AUDIO_PACKET,
  EX_PACKET,
  EX_VIDEO_PACKET,
  FRAME_TYPE,
  LEGACY_PACKET,
  MULTITRACK,
  SOUND_FORMAT,
} from "./tag-layout.ts";

/** SoundRate 44 kHz, 16 bit, stereo: what an AAC tag says whatever the AAC is (FLV 10.1 E.4.2.1). */
const AAC_FLAGS = (SOUND_FORMAT.AAC << 4) | 0x0f;
const EX_HEADER = 0x80;

/**
 * The message body that configures a track, or `undefined` for MP3, which has none. H.264 and AAC are written in the legacy
 * layout, everything else and every track but the first of its kind in that of Enhanced RTMP v2.
 * @throws MediaError `unsupported` for VP8.
 */
export function flvConfigBody(track: Track): Uint8Array | undefined {
  if (track.kind === "video") {
    if (isLegacy(track))
      return concat([(FRAME_TYPE.KEY << 4) | 7, LEGACY_PACKET.SEQUENCE_HEADER, 0, 0, 0], track.config);
    // vpcC is stored with its FullBox header, which Enhanced RTMP leaves out.
    const record = track.codec === "vp9" ? track.config.subarray(4) : track.config;
    return concat(exVideoHeader(track, FRAME_TYPE.KEY, EX_PACKET.SEQUENCE_START), record);
  }
  if (track.codec === "mp3") return undefined;
  if (isLegacy(track)) return concat([AAC_FLAGS, LEGACY_PACKET.SEQUENCE_HEADER], track.config);
  const record = track.codec === "opus" ? buildOpusHead(parseDops(track.config)) : track.config;
  return concat(exAudioHeader(track, EX_PACKET.SEQUENCE_START), record);
}

/**
 * The message body of an access unit; its time stamp is {@link flvTimestamp}.
 * @throws MediaError `unsupported` for VP8.
 */
export function flvFrameBody(unit: AccessUnit): Uint8Array {
  const { track, data } = unit;
  if (track.kind === "audio") return concat(audioFrameHeader(track), data);
  const frameType = unit.keyframe ? FRAME_TYPE.KEY : FRAME_TYPE.INTER;
  const compositionMs = Math.round(unit.pts / 90) - flvTimestamp(unit);
  const si24 = [(compositionMs >> 16) & 0xff, (compositionMs >> 8) & 0xff, compositionMs & 0xff];
  if (isLegacy(track)) return concat([(frameType << 4) | 7, LEGACY_PACKET.FRAME, ...si24], data);
  if (track.codec !== "h264" && track.codec !== "hevc") {
    return concat(exVideoHeader(track, frameType, EX_PACKET.CODED_FRAMES), data);
  }
  if (compositionMs === 0) return concat(exVideoHeader(track, frameType, EX_VIDEO_PACKET.CODED_FRAMES_X), data);
  return concat([...exVideoHeader(track, frameType, EX_PACKET.CODED_FRAMES), ...si24], data);
}

/** The message's time stamp, ms, not wrapped. */
export function flvTimestamp(unit: AccessUnit): number {
  return Math.round(unit.dts / 90);
}

function isLegacy(track: Track): boolean {
  return track.id === 0 && (track.codec === "h264" || track.codec === "aac" || track.codec === "mp3");
}

function audioFrameHeader(track: AudioTrack): readonly number[] {
  if (!isLegacy(track)) return exAudioHeader(track, EX_PACKET.CODED_FRAMES);
  if (track.codec === "aac") return [AAC_FLAGS, LEGACY_PACKET.FRAME];
  const rate = track.sampleRate >= 44_100 ? 3 : track.sampleRate >= 22_050 ? 2 : 1;
  return [(SOUND_FORMAT.MP3 << 4) | (rate << 2) | 2 | (track.channels > 1 ? 1 : 0)];
}

function exVideoHeader(track: VideoTrack, frameType: number, packetType: number): number[] {
  const fourCcs: Readonly<Partial<Record<VideoTrack["codec"], string>>> = {
    h264: "avc1",
    hevc: "hvc1",
    av1: "av01",
    vp9: "vp09",
  };
  const fourCc = fourCcs[track.codec];
  if (fourCc === undefined) throw new MediaError("unsupported", `${track.codec} in FLV`);
  const first = EX_HEADER | (frameType << 4);
  if (track.id === 0) return [first | packetType, ...ascii(fourCc)];
  return [
    first | EX_VIDEO_PACKET.MULTITRACK,
    (MULTITRACK.ONE_TRACK << 4) | packetType,
    ...ascii(fourCc),
    track.id & 0xff,
  ];
}

function exAudioHeader(track: AudioTrack, packetType: number): number[] {
  const fourCc = { aac: "mp4a", opus: "Opus", mp3: ".mp3" }[track.codec];
  const first = SOUND_FORMAT.EX_HEADER << 4;
  if (track.id === 0) return [first | packetType, ...ascii(fourCc)];
  return [
    first | EX_AUDIO_PACKET.MULTITRACK,
    (MULTITRACK.ONE_TRACK << 4) | packetType,
    ...ascii(fourCc),
    track.id & 0xff,
  ];
}

function ascii(text: string): number[] {
  return [...text].map((char) => char.charCodeAt(0));
}

function concat(header: readonly number[], data: Uint8Array): Uint8Array {
  const out = new Uint8Array(header.length + data.length);
  out.set(header);
  out.set(data, header.length);
  return out;
}

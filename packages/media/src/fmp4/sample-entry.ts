import type { AudioTrack, VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { ascii, box, fullBox, u8, u16, u32, zeros } from "./box-writer.ts";

/** ISO 14496-12 §12.1.3 with the codec's configuration box (14496-15, AV1-ISOBMFF, VP codec ISO media file format binding). */
export function videoSampleEntry(track: VideoTrack): Uint8Array {
  const [type, configuration] = videoConfiguration(track);
  return box(
    type,
    zeros(6),
    u16(1),
    zeros(16),
    u16(track.width, track.height),
    u32(0x00480000, 0x00480000, 0),
    u16(1),
    zeros(32),
    u16(0x0018, 0xffff),
    configuration,
  );
}

function videoConfiguration(track: VideoTrack): [string, Uint8Array] {
  switch (track.codec) {
    case "h264":
      return ["avc1", box("avcC", track.config)];
    case "hevc":
      return ["hvc1", box("hvcC", track.config)];
    case "av1":
      return ["av01", box("av1C", track.config)];
    case "vp9":
      return ["vp09", vpcC(track.config)];
    case "vp8":
      return ["vp08", vpcC(track.config)];
  }
}

/** vpcC is a full box of version 1; the record comes with that header or (from FLV) without. */
function vpcC(config: Uint8Array): Uint8Array {
  const headed = config.length >= 12 && config[0] === 1 && config[1] === 0 && config[2] === 0 && config[3] === 0;
  return headed ? box("vpcC", config) : fullBox("vpcC", 1, 0, config);
}

/** ISO 14496-12 §12.2.3; AAC and MP3 with an `esds` (14496-14 §5.6), Opus with a `dOps` (Opus in ISOBMFF §4.3). */
export function audioSampleEntry(track: AudioTrack): Uint8Array {
  const [type, configuration] = audioConfiguration(track);
  // The field is 16.16 and cannot say more than 65 535 Hz; readers take the rate from the configuration then.
  const rate = track.sampleRate > 0xffff ? 0 : track.sampleRate;
  return box(type, zeros(6), u16(1), zeros(8), u16(track.channels, 16, 0, 0), u32(rate * 0x10000), configuration);
}

function audioConfiguration(track: AudioTrack): [string, Uint8Array] {
  switch (track.codec) {
    case "aac":
      if (track.config.length === 0) throw new MediaError("malformed", "an AAC track without an AudioSpecificConfig");
      return ["mp4a", esds(0x40, track.config)];
    case "mp3":
      return ["mp4a", esds(0x6b, zeros(0))];
    case "opus":
      return ["Opus", box("dOps", track.config)];
  }
}

function esds(objectType: number, specificInfo: Uint8Array): Uint8Array {
  // streamType 5 (audio), upStream 0, reserved 1; buffer size and bit rates unknown.
  const decoderConfig = descriptor(
    0x04,
    u8(objectType, 0x15, 0, 0, 0),
    u32(0, 0),
    specificInfo.length > 0 ? descriptor(0x05, specificInfo) : zeros(0),
  );
  return fullBox("esds", 0, 0, descriptor(0x03, u16(1), u8(0), decoderConfig, descriptor(0x06, u8(2))));
}

/** ISO 14496-1 §8.3.3: tag, expandable length (always four bytes here), body. */
function descriptor(tag: number, ...body: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of body) length += part.byteLength;
  const bytes = new Uint8Array(5 + length);
  bytes[0] = tag;
  bytes[1] = 0x80 | ((length >> 21) & 0x7f);
  bytes[2] = 0x80 | ((length >> 14) & 0x7f);
  bytes[3] = 0x80 | ((length >> 7) & 0x7f);
  bytes[4] = length & 0x7f;
  let offset = 5;
  for (const part of body) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** ISO 639-2 packed into 15 bits (14496-12 §8.4.2.3); anything else is `und`. */
export function packedLanguage(language: string | undefined): number {
  const code = language !== undefined && /^[a-z]{3}$/.test(language) ? language : "und";
  const letters = ascii(code);
  return (
    ((letters[0] as number) - 0x60) * 1024 + ((letters[1] as number) - 0x60) * 32 + ((letters[2] as number) - 0x60)
  );
}

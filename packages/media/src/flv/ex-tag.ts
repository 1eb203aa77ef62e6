import { MediaError } from "../media-error.ts";
import {
  EX_AUDIO_PACKET,
  EX_PACKET,
  EX_VIDEO_PACKET,
  FRAME_TYPE,
  MOD_EX_TIMESTAMP_OFFSET_NANO,
  MULTITRACK,
} from "./tag-layout.ts";

/** What one track has in an Enhanced RTMP message. */
export interface ExTrackPayload {
  readonly trackId: number;
  /** Empty in a message of metadata. */
  readonly fourCc: string;
  readonly packetType: number;
  /** What follows the header, the composition time offset included. A view. */
  readonly payload: Uint8Array;
}

/** An Enhanced RTMP message taken apart. */
export interface ExTag {
  /** To add to the message's time stamp, ns: 0 to 999 999 as the specification has it. */
  readonly nanoseconds: number;
  /** Empty for a command frame. */
  readonly tracks: readonly ExTrackPayload[];
}

/** A message with more tracks than this is rejected. */
const MAX_TRACKS_IN_MESSAGE = 64;

/**
 * Takes an Enhanced RTMP v2 message apart: ModEx prefixes, multitrack, FourCC. The caller has seen that the first byte announces one.
 * @throws MediaError
 */
export function parseExTag(kind: "video" | "audio", body: Uint8Array): ExTag {
  const reader = new ExReader(body);
  const first = reader.u8();
  let packetType = first & 0x0f;
  let nanoseconds = 0;
  while (packetType === EX_PACKET.MOD_EX) {
    let size = reader.u8() + 1;
    if (size === 256) size = reader.u16() + 1;
    const data = reader.take(size);
    const types = reader.u8();
    if (types >> 4 === MOD_EX_TIMESTAMP_OFFSET_NANO && data.length >= 3) {
      nanoseconds += ((data[0] as number) << 16) | ((data[1] as number) << 8) | (data[2] as number);
    }
    packetType = types & 0x0f;
  }
  const isMetadata = kind === "video" && packetType === EX_VIDEO_PACKET.METADATA;
  if (kind === "video" && !isMetadata && ((first >> 4) & 7) === FRAME_TYPE.COMMAND) return { nanoseconds, tracks: [] };

  const multitrackType = kind === "video" ? EX_VIDEO_PACKET.MULTITRACK : EX_AUDIO_PACKET.MULTITRACK;
  if (packetType !== multitrackType) {
    const fourCc = reader.fourCc();
    return { nanoseconds, tracks: [{ trackId: 0, fourCc, packetType, payload: reader.rest() }] };
  }
  return { nanoseconds, tracks: readTracks(reader, multitrackType) };
}

function readTracks(reader: ExReader, multitrackType: number): ExTrackPayload[] {
  const types = reader.u8();
  const layout = types >> 4;
  const packetType = types & 0x0f;
  if (packetType === multitrackType || packetType === EX_PACKET.MOD_EX) {
    throw new MediaError("malformed", "multitrack message within a multitrack message");
  }
  if (layout > MULTITRACK.MANY_TRACKS_MANY_CODECS) throw new MediaError("malformed", `multitrack type ${layout}`);
  const common = layout === MULTITRACK.MANY_TRACKS_MANY_CODECS ? undefined : reader.fourCc();
  const tracks: ExTrackPayload[] = [];
  do {
    if (tracks.length === MAX_TRACKS_IN_MESSAGE) throw new MediaError("malformed", "too many tracks in one message");
    const fourCc = common ?? reader.fourCc();
    const trackId = reader.u8();
    const payload = layout === MULTITRACK.ONE_TRACK ? reader.rest() : reader.take(reader.u24());
    tracks.push({ trackId, fourCc, packetType, payload });
  } while (reader.left > 0);
  return tracks;
}

class ExReader {
  readonly #body: Uint8Array;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  get left(): number {
    return this.#body.length - this.#at;
  }

  u8(): number {
    const byte = this.#body[this.#at];
    if (byte === undefined) throw new MediaError("truncated", "tag cut off");
    this.#at += 1;
    return byte;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  u24(): number {
    return this.u16() * 256 + this.u8();
  }

  fourCc(): string {
    return String.fromCharCode(this.u8(), this.u8(), this.u8(), this.u8());
  }

  take(count: number): Uint8Array {
    if (count > this.left) throw new MediaError("truncated", "field longer than its tag");
    this.#at += count;
    return this.#body.subarray(this.#at - count, this.#at);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }
}

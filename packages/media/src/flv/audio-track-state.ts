import { aacTrack, aacTrackFromAdts } from "../aac/aac-track.ts";
import { parseAdtsHeader } from "../aac/adts.ts";
import type { AudioTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { mp3Track, parseMp3Header } from "../mp3/mp3-header.ts";
import { defaultOpusConfig, opusTrack, parseDops, parseOpusHead } from "../opus/opus-config.ts";

/** A frame found in an audio message. */
export interface AudioFrame {
  readonly data: Uint8Array;
  /** 90 kHz ticks after the message's time stamp. */
  readonly offset: number;
}

/** One audio track of an FLV stream, whatever its codec. */
export interface AudioTrackState {
  readonly fourCc: string;
  /** The track as the bytes so far describe it; a new value when they describe another. */
  readonly track: AudioTrack | undefined;
  /** @throws MediaError */
  configure(record: Uint8Array): void;
  /** Frames of one message; may also tell the track. @throws MediaError */
  push(data: Uint8Array): readonly AudioFrame[];
}

/** `undefined` for a FourCC that is not taken in. */
export function audioTrackState(fourCc: string, trackId: number): AudioTrackState | undefined {
  switch (fourCc) {
    case "mp4a":
      return new AacState(trackId);
    case "Opus":
      return new OpusState(trackId);
    case ".mp3":
      return new Mp3State(trackId);
    default:
      return undefined;
  }
}

class AacState implements AudioTrackState {
  readonly fourCc = "mp4a";
  readonly #id: number;
  track: AudioTrack | undefined;

  constructor(id: number) {
    this.#id = id;
  }

  configure(record: Uint8Array): void {
    this.track = aacTrack(this.#id, record);
  }

  push(data: Uint8Array): readonly AudioFrame[] {
    // A raw frame cannot begin with 111 (the END element), so these bits are an ADTS header, which some encoders leave on.
    const adts = (data[0] as number) === 0xff ? parseAdtsHeader(data) : undefined;
    if (adts === undefined || adts.frameBytes !== data.length) return [{ data, offset: 0 }];
    if (adts.blocks !== 1) throw new MediaError("unsupported", "ADTS frame of several raw data blocks");
    this.track ??= aacTrackFromAdts(this.#id, adts);
    return [{ data: data.subarray(adts.headerBytes), offset: 0 }];
  }
}

class OpusState implements AudioTrackState {
  readonly fourCc = "Opus";
  readonly #id: number;
  track: AudioTrack | undefined;

  constructor(id: number) {
    this.#id = id;
  }

  /** Enhanced RTMP says OpusHead; dOps is understood as well. */
  configure(record: Uint8Array): void {
    this.track = opusTrack(this.#id, record[0] === 0 ? parseDops(record) : parseOpusHead(record));
  }

  push(data: Uint8Array): readonly AudioFrame[] {
    // Without a sequence header the TOC byte tells mono from stereo (RFC 6716 3.1).
    this.track ??= opusTrack(this.#id, defaultOpusConfig(((data[0] as number) & 4) === 0 ? 1 : 2));
    return [{ data, offset: 0 }];
  }
}

class Mp3State implements AudioTrackState {
  readonly fourCc = ".mp3";
  readonly #id: number;
  track: AudioTrack | undefined;

  constructor(id: number) {
    this.#id = id;
  }

  configure(): void {
    // MP3 has no configuration record: every frame header tells all.
  }

  push(data: Uint8Array): readonly AudioFrame[] {
    const frames: AudioFrame[] = [];
    let at = 0;
    let offset = 0;
    while (at < data.length) {
      const header = parseMp3Header(data, at);
      if (header === undefined) {
        if (frames.length > 0) break; // padding behind a frame
        throw new MediaError("malformed", "no MPEG audio frame header");
      }
      const bytes = header.frameBytes === 0 ? data.length - at : header.frameBytes;
      if (bytes > data.length - at) throw new MediaError("truncated", "MPEG audio frame cut off");
      this.track = mp3Track(this.#id, header);
      frames.push({ data: data.subarray(at, at + bytes), offset: Math.round(offset) });
      offset += (header.samplesPerFrame * 90_000) / header.sampleRate;
      at += bytes;
    }
    return frames;
  }
}

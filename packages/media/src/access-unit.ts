/** Ticks a second of every `dts` and `pts` past the ingest door. */
export const TICKS_PER_SECOND = 90_000;

export type VideoCodec = "h264" | "hevc" | "av1" | "vp8" | "vp9";
export type AudioCodec = "aac" | "opus" | "mp3";

/** A video track as its configuration describes it. Immutable: a change of configuration is a new track value with the same `id`. */
export interface VideoTrack {
  readonly kind: "video";
  /** Stable within one source: which of its tracks this is, from 0 for the first video track. */
  readonly id: number;
  readonly codec: VideoCodec;
  /** The configuration record as it stands in the sample entry: avcC, hvcC, av1C or vpcC payload. */
  readonly config: Uint8Array;
  /** RFC 6381, e.g. `avc1.64001f`. */
  readonly codecString: string;
  /** Display size in pixels, cropping applied. */
  readonly width: number;
  readonly height: number;
  /** Frames a second as the bitstream declares them, if it does. */
  readonly frameRate: number | undefined;
  /** Words, e.g. `High`. */
  readonly profile: string | undefined;
}

export interface AudioTrack {
  readonly kind: "audio";
  readonly id: number;
  readonly codec: AudioCodec;
  /** AudioSpecificConfig (AAC), OpusSpecificBox payload (`dOps`, Opus); empty for MP3. */
  readonly config: Uint8Array;
  /** RFC 6381, e.g. `mp4a.40.2`. */
  readonly codecString: string;
  readonly sampleRate: number;
  readonly channels: number;
  /** ISO 639-2 where the container declares one. */
  readonly language?: string;
}

export type Track = VideoTrack | AudioTrack;

/**
 * One coded frame of one track; the currency of everything past the ingest door.
 *
 * `data` is in the form the ISO base media file format stores: H.264 and HEVC as NAL units with 4-byte
 * lengths, without parameter sets that the track's configuration already carries, without access unit
 * delimiters; AV1 as a temporal unit of OBUs with sizes, without temporal delimiters; AAC raw; an Opus packet.
 * It must not be changed after it was handed on: readers share it.
 */
export interface AccessUnit {
  readonly track: Track;
  /** 90 kHz ticks on the stream's timeline, never negative, never wrapped, never running backwards within a track. */
  readonly dts: number;
  /** 90 kHz ticks; ≥ `dts`, later by the reordering delay of this frame. */
  readonly pts: number;
  /** Whether decoding can begin here (video: IDR, or CRA/recovery point that the container flags as sync). Always true of audio. */
  readonly keyframe: boolean;
  readonly data: Uint8Array;
  /** Set on the first access unit of a track after the timeline broke (reconnect, jump): a decoder must be reset. */
  readonly discontinuity?: boolean;
}

/** Where a demultiplexer hands what it finds. Called synchronously, in stream order. */
export interface MediaSink {
  /** A track appeared, or its configuration changed; always before the first access unit that needs it. */
  onTrack(track: Track): void;
  onAccessUnit(unit: AccessUnit): void;
  /** Something was wrong that demultiplexing survived: bytes lost, a packet dropped. */
  onWarning?(warning: MediaWarning): void;
}

export interface MediaWarning {
  /** snake_case, from a closed list per demultiplexer. */
  readonly code: string;
  readonly message: string;
}

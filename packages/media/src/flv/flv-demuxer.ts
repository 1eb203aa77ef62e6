import { type AudioTrack, type MediaSink, TICKS_PER_SECOND } from "../access-unit.ts";
import { equalBytes } from "../bits/equal-bytes.ts";
import { type AudioTrackState, audioTrackState } from "./audio-track-state.ts";
import { type ExTrackPayload, parseExTag } from "./ex-tag.ts";
import { type FlvWarningCode, FlvWarnings } from "./flv-warning.ts";
import {
  EX_AUDIO_PACKET,
  EX_PACKET,
  EX_VIDEO_PACKET,
  FRAME_TYPE,
  LEGACY_PACKET,
  SOUND_FORMAT,
  VIDEO_CODEC_ID,
} from "./tag-layout.ts";
import { type VideoTrackState, videoTrackState } from "./video-track-state.ts";

const TICKS_PER_MS = TICKS_PER_SECOND / 1000;
const MAX_TRACKS_OF_A_KIND = 16;

interface AnnouncedAudio {
  readonly state: AudioTrackState;
  announced: AudioTrack | undefined;
}

/**
 * FLV and RTMP message bodies (legacy, Enhanced RTMP v1 and v2) in, access units out.
 *
 * `dts` of the access units is the time stamp as it came, in ticks: unwrapped by the caller or not, free to jump and to run
 * backwards, and `pts` may precede it; a `Timeline` mends all that. `data` is a view of the body wherever the form allows,
 * so the caller must not use a body's memory again.
 *
 * Bytes that make no sense never throw: the message (or the track in it) is dropped and the sink warned, with a code of
 * {@link FlvWarningCode}. What the sink throws goes through to the caller.
 */
export class FlvDemuxer {
  readonly #sink: MediaSink;
  readonly #warnings: FlvWarnings;
  readonly #video = new Map<number, VideoTrackState>();
  readonly #audio = new Map<number, AnnouncedAudio>();

  constructor(sink: MediaSink) {
    this.#sink = sink;
    this.#warnings = new FlvWarnings(sink);
  }

  /** How often each warning came up; the sink is told of the first 16 of each code only. */
  get warningCounts(): ReadonlyMap<FlvWarningCode, number> {
    return this.#warnings.counts;
  }

  /** @param timestampMs of the message, ms. @param body of a video message (RTMP type 9, FLV tag type 9). */
  pushVideo(timestampMs: number, body: Uint8Array): void {
    const first = body[0];
    if (first === undefined) return; // an empty message is a keep-alive of some encoders
    if ((first & 0x80) === 0) {
      this.#pushLegacyVideo(timestampMs * TICKS_PER_MS, body, first);
      return;
    }
    const tag = this.#warnings.guard("tag_malformed", () => parseExTag("video", body));
    if (tag === undefined) return;
    const dts = ticks(timestampMs, tag.nanoseconds);
    const sync = isSync((first >> 4) & 7);
    for (const payload of tag.tracks) this.#pushExVideo(dts, sync, payload);
  }

  /** @param timestampMs of the message, ms. @param body of an audio message (RTMP type 8, FLV tag type 8). */
  pushAudio(timestampMs: number, body: Uint8Array): void {
    const first = body[0];
    if (first === undefined) return;
    if (first >> 4 !== SOUND_FORMAT.EX_HEADER) {
      this.#pushLegacyAudio(timestampMs * TICKS_PER_MS, body, first >> 4);
      return;
    }
    const tag = this.#warnings.guard("tag_malformed", () => parseExTag("audio", body));
    if (tag === undefined) return;
    const dts = ticks(timestampMs, tag.nanoseconds);
    for (const payload of tag.tracks) this.#pushExAudio(dts, payload);
  }

  #pushLegacyVideo(dts: number, body: Uint8Array, first: number): void {
    const frameType = first >> 4;
    if (frameType === FRAME_TYPE.COMMAND) return;
    const codecId = first & 0x0f;
    const fourCc = codecId === VIDEO_CODEC_ID.AVC ? "avc1" : codecId === VIDEO_CODEC_ID.HEVC ? "hvc1" : undefined;
    if (fourCc === undefined) {
      this.#warnings.warn("codec_unsupported", `FLV video codec ${codecId}`);
      return;
    }
    if (body.length < 5) {
      if (body[1] !== LEGACY_PACKET.END_OF_SEQUENCE) this.#warnings.warn("tag_malformed", "video tag cut off");
      return;
    }
    switch (body[1]) {
      case LEGACY_PACKET.SEQUENCE_HEADER:
        this.#configureVideo(0, fourCc, body.subarray(5));
        break;
      case LEGACY_PACKET.FRAME:
        this.#pushVideoFrame(dts, si24(body, 2), isSync(frameType), 0, fourCc, body.subarray(5));
        break;
      case LEGACY_PACKET.END_OF_SEQUENCE:
        break;
      default:
        this.#warnings.warn("tag_malformed", `video packet type ${body[1]}`);
    }
  }

  #pushExVideo(dts: number, sync: boolean, { trackId, fourCc, packetType, payload }: ExTrackPayload): void {
    switch (packetType) {
      case EX_PACKET.SEQUENCE_START:
        this.#configureVideo(trackId, fourCc, payload);
        break;
      case EX_PACKET.CODED_FRAMES:
        if (fourCc !== "avc1" && fourCc !== "hvc1") {
          this.#pushVideoFrame(dts, 0, sync, trackId, fourCc, payload);
        } else if (payload.length < 3) {
          this.#warnings.warn("tag_malformed", "coded frame without its composition time");
        } else {
          this.#pushVideoFrame(dts, si24(payload, 0), sync, trackId, fourCc, payload.subarray(3));
        }
        break;
      case EX_VIDEO_PACKET.CODED_FRAMES_X:
        this.#pushVideoFrame(dts, 0, sync, trackId, fourCc, payload);
        break;
      case EX_PACKET.SEQUENCE_END:
      case EX_VIDEO_PACKET.METADATA:
      // The MPEG-TS descriptor of AV1 holds no sequence header: it comes in band.
      case EX_VIDEO_PACKET.MPEG2TS_SEQUENCE_START:
        break;
      default:
        this.#warnings.warn("tag_malformed", `video packet type ${packetType}`);
    }
  }

  #configureVideo(trackId: number, fourCc: string, record: Uint8Array): void {
    const state = this.#videoState(trackId, fourCc);
    if (state === undefined) return;
    const changed = this.#warnings.guard("config_malformed", () => state.configure(record));
    if (changed === true && state.track !== undefined) this.#sink.onTrack(state.track);
  }

  #pushVideoFrame(
    dts: number,
    compositionMs: number,
    sync: boolean,
    trackId: number,
    fourCc: string,
    data: Uint8Array,
  ): void {
    if (data.length === 0) return;
    const state = this.#videoState(trackId, fourCc);
    if (state === undefined) return;
    const frame = this.#warnings.guard("frame_malformed", () => state.push(data, sync));
    if (frame === undefined) return;
    const track = state.track;
    if (frame.trackChanged && track !== undefined) this.#sink.onTrack(track);
    if (frame.data.length === 0) return;
    if (track === undefined) {
      this.#warnings.warn("frame_before_config", `${fourCc} frame before its configuration`);
      return;
    }
    const pts = dts + compositionMs * TICKS_PER_MS;
    this.#sink.onAccessUnit({ track, dts, pts, keyframe: frame.keyframe, data: frame.data });
  }

  #videoState(trackId: number, fourCc: string): VideoTrackState | undefined {
    const known = this.#video.get(trackId);
    if (known?.fourCc === fourCc) return known;
    const state = videoTrackState(fourCc, trackId);
    if (state === undefined) {
      this.#warnings.warn("codec_unsupported", `video codec ${printable(fourCc)}`);
    } else if (known === undefined && this.#video.size === MAX_TRACKS_OF_A_KIND) {
      this.#warnings.warn("too_many_tracks", `more than ${MAX_TRACKS_OF_A_KIND} video tracks`);
      return undefined;
    } else {
      this.#video.set(trackId, state);
    }
    return state;
  }

  #pushLegacyAudio(dts: number, body: Uint8Array, format: number): void {
    switch (format) {
      case SOUND_FORMAT.MP3:
      case SOUND_FORMAT.MP3_8K:
        this.#pushAudioFrames(dts, 0, ".mp3", body.subarray(1));
        break;
      case SOUND_FORMAT.AAC:
        if (body.length < 2) this.#warnings.warn("tag_malformed", "audio tag cut off");
        else if (body[1] === LEGACY_PACKET.SEQUENCE_HEADER) this.#configureAudio(0, "mp4a", body.subarray(2));
        else if (body[1] === LEGACY_PACKET.FRAME) this.#pushAudioFrames(dts, 0, "mp4a", body.subarray(2));
        else this.#warnings.warn("tag_malformed", `AAC packet type ${body[1]}`);
        break;
      default:
        this.#warnings.warn("codec_unsupported", `FLV sound format ${format}`);
    }
  }

  #pushExAudio(dts: number, { trackId, fourCc, packetType, payload }: ExTrackPayload): void {
    switch (packetType) {
      case EX_PACKET.SEQUENCE_START:
        this.#configureAudio(trackId, fourCc, payload);
        break;
      case EX_PACKET.CODED_FRAMES:
        this.#pushAudioFrames(dts, trackId, fourCc, payload);
        break;
      case EX_PACKET.SEQUENCE_END:
      // Speaker positions: AAC and Opus configurations tell them themselves.
      case EX_AUDIO_PACKET.MULTICHANNEL_CONFIG:
        break;
      default:
        this.#warnings.warn("tag_malformed", `audio packet type ${packetType}`);
    }
  }

  #configureAudio(trackId: number, fourCc: string, record: Uint8Array): void {
    const audio = this.#audioState(trackId, fourCc);
    if (audio === undefined || record.length === 0) return;
    this.#warnings.guard("config_malformed", () => audio.state.configure(record));
    this.#announce(audio);
  }

  #pushAudioFrames(dts: number, trackId: number, fourCc: string, data: Uint8Array): void {
    if (data.length === 0) return;
    const audio = this.#audioState(trackId, fourCc);
    if (audio === undefined) return;
    const frames = this.#warnings.guard("frame_malformed", () => audio.state.push(data));
    if (frames === undefined) return;
    this.#announce(audio);
    const track = audio.announced;
    if (track === undefined) {
      this.#warnings.warn("frame_before_config", `${fourCc} frame before its configuration`);
      return;
    }
    for (const { data: frame, offset } of frames) {
      this.#sink.onAccessUnit({ track, dts: dts + offset, pts: dts + offset, keyframe: true, data: frame });
    }
  }

  /** Tells the sink of the track when it is not the one told of last. */
  #announce(audio: AnnouncedAudio): void {
    const track = audio.state.track;
    if (track === undefined || (audio.announced !== undefined && isSameTrack(audio.announced, track))) return;
    audio.announced = track;
    this.#sink.onTrack(track);
  }

  #audioState(trackId: number, fourCc: string): AnnouncedAudio | undefined {
    const known = this.#audio.get(trackId);
    if (known?.state.fourCc === fourCc) return known;
    const state = audioTrackState(fourCc, trackId);
    if (state === undefined) {
      this.#warnings.warn("codec_unsupported", `audio codec ${printable(fourCc)}`);
      return undefined;
    }
    if (known === undefined && this.#audio.size === MAX_TRACKS_OF_A_KIND) {
      this.#warnings.warn("too_many_tracks", `more than ${MAX_TRACKS_OF_A_KIND} audio tracks`);
      return undefined;
    }
    const audio: AnnouncedAudio = { state, announced: undefined };
    this.#audio.set(trackId, audio);
    return audio;
  }
}

function isSameTrack(a: AudioTrack, b: AudioTrack): boolean {
  if (a === b) return true;
  return (
    a.codec === b.codec && a.sampleRate === b.sampleRate && a.channels === b.channels && equalBytes(a.config, b.config)
  );
}

function isSync(frameType: number): boolean {
  return frameType === FRAME_TYPE.KEY || frameType === FRAME_TYPE.GENERATED_KEY;
}

function ticks(timestampMs: number, nanoseconds: number): number {
  return Math.round(timestampMs * TICKS_PER_MS + (nanoseconds * TICKS_PER_SECOND) / 1e9);
}

/** A signed 24-bit field. The caller has seen that it is there. */
function si24(data: Uint8Array, at: number): number {
  const value = ((data[at] as number) << 16) | ((data[at + 1] as number) << 8) | (data[at + 2] as number);
  return (value << 8) >> 8;
}

function printable(fourCc: string): string {
  return JSON.stringify(fourCc);
}

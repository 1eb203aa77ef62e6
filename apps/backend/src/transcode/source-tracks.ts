import type { AccessUnit, AudioTrack, Track, VideoTrack } from "@klieg/media";
import { frameRateOf } from "./frame-rate.ts";

/** What a track means to a transcode. `changed`: the same one as before, but something else has to be made of it. */
export type TrackNews = "new" | "same" | "changed" | "ignored";

/** The tracks of a source that are transcoded: the first video track and the first audio track that come. */
export class SourceTracks {
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #heard = false;
  #frameRate: number | undefined;

  get video(): VideoTrack | undefined {
    return this.#video;
  }

  get audio(): AudioTrack | undefined {
    return this.#audio;
  }

  /** The audio track, once an access unit of it has come: it is not merely announced. */
  get sound(): AudioTrack | undefined {
    return this.#heard ? this.#audio : undefined;
  }

  /** Whether there is sound that not every player plays, as far as is known. */
  get wantsAac(): boolean {
    return this.#audio !== undefined && this.#audio.codec !== "aac";
  }

  /** Whether the frame rate of the video is known, or declared. */
  get hasFrameRate(): boolean {
    return (this.#frameRate ?? this.#video?.frameRate) !== undefined;
  }

  take(track: Track): TrackNews {
    const before = track.kind === "video" ? this.#video : this.#audio;
    if (before === track) return "same";
    if (before !== undefined && before.id !== track.id) return "ignored";
    if (track.kind === "video") this.#video = track;
    else this.#audio = track;
    if (before === undefined) return "new";
    return sameMedia(before, track) ? "same" : "changed";
  }

  /** @returns whether it is the first access unit of the audio track. */
  hear(): boolean {
    const first = !this.#heard;
    this.#heard = true;
    return first;
  }

  /** Frames a second of the video; settled by the first units that are shown, until {@link forgetFrameRate}. */
  frameRate(units: readonly AccessUnit[]): number | undefined {
    if (this.#video === undefined) return undefined;
    this.#frameRate ??= frameRateOf(this.#video.frameRate, units);
    return this.#frameRate;
  }

  forgetFrameRate(): void {
    this.#frameRate = undefined;
  }

  clear(): void {
    this.#video = undefined;
    this.#audio = undefined;
    this.#heard = false;
    this.#frameRate = undefined;
  }
}

/** Whether the same can be made of both. */
export function sameMedia(a: Track, b: Track): boolean {
  if (a === b) return true;
  if (a.kind === "video") {
    if (b.kind !== "video" || a.width !== b.width || a.height !== b.height) return false;
    return a.codec === b.codec && a.codecString === b.codecString;
  }
  return b.kind === "audio" && a.codec === b.codec && a.sampleRate === b.sampleRate && a.channels === b.channels;
}

/** A picture may be cut by so much to come to whole macroblocks. */
const SAME_SHAPE = 0.04;

/** Whether one is the other's picture, no larger and no differently shaped, in the same codec. */
export function isSmaller(track: VideoTrack, than: VideoTrack): boolean {
  if (track.codec !== than.codec || track.width * track.height > than.width * than.height) return false;
  const shape = track.width / track.height / (than.width / than.height);
  return Math.abs(shape - 1) <= SAME_SHAPE;
}

import type { VideoTrack } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import type { Depacketizer, DepacketizerSink, VideoPayloadFormat } from "./depacketizer.ts";

/**
 * Puts the access units of one video stream together. An access unit ends with the packet that has the marker, or with
 * the first packet of another timestamp. One that lacks a packet is dropped, and everything after it up to the next
 * keyframe: a decoder would show garbage.
 */
export class VideoDepacketizer implements Depacketizer {
  readonly #format: VideoPayloadFormat;
  readonly #sink: DepacketizerSink;
  /** Timestamp of the access unit that is being put together. */
  #timestamp: number | undefined;
  /** The access unit lacks its beginning, or a payload of it could not be read. */
  #broken = false;
  /** The packet before this one was the last of its access unit. */
  #atBoundary = false;
  #awaitsKeyframe = true;
  /** The track that the sink knows. */
  #track: VideoTrack | undefined;

  constructor(format: VideoPayloadFormat, sink: DepacketizerSink) {
    this.#format = format;
    this.#sink = sink;
  }

  /** Whether everything is dropped until a keyframe comes. */
  get awaitsKeyframe(): boolean {
    return this.#awaitsKeyframe;
  }

  push(payload: Uint8Array, timestamp: number, marker: boolean, lost: boolean): void {
    if (lost) this.#onLost();
    if (payload.length === 0) return;
    if (this.#timestamp !== undefined && timestamp !== this.#timestamp) this.#finish();
    if (this.#timestamp === undefined) {
      this.#timestamp = timestamp;
      this.#broken = !this.#format.begin(payload, this.#atBoundary);
    }
    this.#atBoundary = false;
    if (!this.#broken) this.#append(payload);
    if (marker) this.#finish();
  }

  flush(): void {
    if (this.#timestamp !== undefined) this.#finish();
  }

  restart(): void {
    this.#onLost();
  }

  #append(payload: Uint8Array): void {
    try {
      this.#format.append(payload);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#format.discard();
      this.#broken = true;
      this.#needKeyframe();
      this.#sink.onDropped("access_unit_malformed", error.message);
    }
  }

  #finish(): void {
    const timestamp = this.#timestamp as number;
    this.#timestamp = undefined;
    this.#atBoundary = true;
    if (this.#broken) {
      this.#broken = false;
      this.#needKeyframe();
      return;
    }
    try {
      const { data, keyframe } = this.#format.finish();
      const { track } = this.#format;
      if (track !== undefined && track !== this.#track) {
        this.#track = track;
        this.#sink.onTrack(track);
      }
      if (data.length === 0) return;
      if (this.#awaitsKeyframe || track === undefined) {
        if (!keyframe || track === undefined) {
          this.#needKeyframe();
          this.#sink.onDropped("access_unit_dropped", "an access unit that cannot be decoded without a keyframe");
          return;
        }
        this.#awaitsKeyframe = false;
      }
      this.#sink.onFrame(timestamp, keyframe, data);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#needKeyframe();
      this.#sink.onDropped("access_unit_malformed", error.message);
    }
  }

  #onLost(): void {
    if (this.#timestamp !== undefined) {
      this.#format.discard();
      this.#timestamp = undefined;
      this.#broken = false;
      this.#sink.onDropped("access_unit_dropped", "an access unit that lacks packets");
    }
    this.#atBoundary = false;
    this.#needKeyframe();
  }

  #needKeyframe(): void {
    this.#awaitsKeyframe = true;
    this.#sink.onKeyframeNeeded();
  }
}

import type { AudioTrack, VideoTrack } from "../access-unit.ts";
import type { CodedFrame } from "../coded-frame.ts";
import type { RtpWarningCode } from "./rtp-warning.ts";

/** Where a depacketizer hands what it puts together. */
export interface DepacketizerSink {
  onTrack(track: VideoTrack | AudioTrack): void;
  /**
   * An access unit is whole.
   * @param timestamp of its packets, unwrapped, in units of the codec's clock.
   * @param data in memory of its own, in the form that `AccessUnit.data` asks for.
   */
  onFrame(timestamp: number, keyframe: boolean, data: Uint8Array): void;
  /** An access unit was dropped. */
  onDropped(code: RtpWarningCode, message: string): void;
  /** Nothing can be decoded before the next keyframe: one should be asked for. */
  onKeyframeNeeded(): void;
}

/** Puts access units together from the payloads of one RTP stream, which come in order. */
export interface Depacketizer {
  /**
   * @param payload valid for the call only. May be empty: padding.
   * @param timestamp of the packet, unwrapped.
   * @param lost whether packets before this one are missing for good.
   */
  push(payload: Uint8Array, timestamp: number, marker: boolean, lost: boolean): void;
  /** What follows is another access unit, and nothing is missing in between: what is there is whole and handed on. */
  flush(): void;
  /** The sender begins anew: what is there is dropped. */
  restart(): void;
}

/** What differs between the RTP payload formats of video codecs. Holds the access unit that is being put together. */
export interface VideoPayloadFormat {
  readonly track: VideoTrack | undefined;
  /**
   * A payload is about to be added with which an access unit begins as far as the packets tell.
   * @param sure whether it does: the packet before it ended another. Packets may be missing otherwise, of this one too.
   * @returns whether it is of use. It always is where `sure`.
   */
  begin(payload: Uint8Array, sure: boolean): boolean;
  /** Adds a payload to the access unit. @throws MediaError where it cannot be one of it. */
  append(payload: Uint8Array): void;
  /**
   * Takes the access unit out.
   * @returns its data in memory of its own; empty where there is no picture in it.
   * @throws MediaError where it is incomplete or cannot be read; it is dropped then.
   */
  finish(): CodedFrame;
  /** Drops the access unit. */
  discard(): void;
}

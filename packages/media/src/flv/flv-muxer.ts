import type { AccessUnit, MediaSink, Track } from "../access-unit.ts";
import { flvConfigBody, flvFrameBody, flvTimestamp } from "./flv-body.ts";

/** A message as RTMP and FLV carry it. */
export interface FlvMessage {
  readonly kind: "video" | "audio";
  /** ms, not wrapped to 32 bits. */
  readonly timestampMs: number;
  readonly body: Uint8Array;
  /** A configuration record: whoever joins later needs it. */
  readonly isConfig: boolean;
  /** Whether decoding can begin here: what a sender that must drop drops up to. */
  readonly keyframe: boolean;
}

/**
 * Access units in, RTMP message bodies out; see {@link flvConfigBody} for which layout is used when.
 * A track's configuration goes out just before its first access unit, with that one's time stamp, and again when it changes.
 */
export class FlvMuxer implements MediaSink {
  readonly #onMessage: (message: FlvMessage) => void;
  readonly #pending = new Map<string, Track>();

  constructor(onMessage: (message: FlvMessage) => void) {
    this.#onMessage = onMessage;
  }

  onTrack(track: Track): void {
    this.#pending.set(`${track.kind} ${track.id}`, track);
  }

  /** @throws MediaError for a codec that FLV has no code for. */
  onAccessUnit(unit: AccessUnit): void {
    const { kind, id } = unit.track;
    const timestampMs = flvTimestamp(unit);
    const key = `${kind} ${id}`;
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      this.#pending.delete(key);
      const config = flvConfigBody(pending);
      if (config !== undefined) this.#onMessage({ kind, timestampMs, body: config, isConfig: true, keyframe: false });
    }
    this.#onMessage({ kind, timestampMs, body: flvFrameBody(unit), isConfig: false, keyframe: unit.keyframe });
  }
}

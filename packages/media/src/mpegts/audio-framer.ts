import type { AudioTrack } from "../access-unit.ts";

/** One audio frame found in the PES packets of a stream. */
export interface AudioFrame {
  /** As `AccessUnit.data` wants it: without header. */
  readonly data: Uint8Array;
  /** Samples a channel, at `sampleRate`. */
  readonly samples: number;
  readonly sampleRate: number;
  /** Whether it began in the bytes of this `push`: the first that does belongs to the timestamp given with them. */
  readonly beginsHere: boolean;
}

/** Takes the frames of one coding out of an elementary stream that comes in pieces. */
export interface AudioFramer {
  /**
   * @param bytes the next piece; frames are views of it, so it must not be changed any more.
   * @param onFrame called for each whole frame in order. `track` is another value than before when the
   *   configuration changed.
   * @param onTrouble called with words when bytes were passed over.
   */
  push(
    bytes: Uint8Array,
    onFrame: (frame: AudioFrame, track: AudioTrack) => void,
    onTrouble: (message: string) => void,
  ): void;
  /** Forgets a frame begun: bytes are missing. */
  reset(): void;
}

/** `a` followed by `b`; `b` itself when `a` is empty. */
export function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

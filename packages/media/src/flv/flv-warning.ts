import type { MediaSink } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";

/** The closed list of what {@link FlvDemuxer} warns of. In every case the message, or the track in it, was dropped. */
export type FlvWarningCode =
  /** A field of the tag ends past its body, or has an impossible value. */
  | "tag_malformed"
  /** A codec that is not taken in. */
  | "codec_unsupported"
  /** A sequence header (configuration record) that cannot be read. */
  | "config_malformed"
  /** A coded frame that cannot be read. */
  | "frame_malformed"
  /** A coded frame before the configuration that it needs. */
  | "frame_before_config"
  /** More tracks than are taken in. */
  | "too_many_tracks";

/** So many warnings of one code are told; the others are only counted. */
const MAX_TOLD = 16;

/** Counts warnings and passes the first of each code on. */
export class FlvWarnings {
  readonly #sink: MediaSink;
  readonly #counts = new Map<FlvWarningCode, number>();

  constructor(sink: MediaSink) {
    this.#sink = sink;
  }

  /** How often each code came up. */
  get counts(): ReadonlyMap<FlvWarningCode, number> {
    return this.#counts;
  }

  warn(code: FlvWarningCode, message: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= MAX_TOLD) this.#sink.onWarning?.({ code, message });
  }

  /** Runs `parse`; a `MediaError` from it becomes a warning and the answer `undefined`. */
  guard<T>(code: FlvWarningCode, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.warn(error.code === "unsupported" ? "codec_unsupported" : code, error.message);
      return undefined;
    }
  }
}

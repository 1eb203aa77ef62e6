import type { MediaSink } from "../access-unit.ts";

/** The closed list of what an `RtpDemuxer` warns of. */
export type RtpWarningCode =
  /** A packet that is no RTP packet, or of another source or payload type; dropped. */
  | "packet_unusable"
  /** Packets are missing for good. */
  | "packets_lost"
  /** A payload or access unit that cannot be read; the access unit was dropped. */
  | "access_unit_malformed"
  /** An access unit was dropped because a part of it, or of one that it needs, is missing. */
  | "access_unit_dropped"
  /** What the session description says of the codec (`sprop-parameter-sets`) cannot be read; passed over. */
  | "parameters_malformed"
  /** The sender began anew or its timestamps leapt: the stream goes on at the time of arrival. */
  | "timestamps_jumped"
  /** A timestamp that does not follow the one before; moved up. */
  | "timestamp_backwards"
  /** A sender report that does not fit the packets; passed over. */
  | "sender_report_implausible";

/** So many warnings of one code are told; the others are only counted. */
const MAX_TOLD = 16;

/** Counts warnings and passes the first of each code on. */
export class RtpWarnings {
  readonly #sink: MediaSink;
  readonly #counts = new Map<RtpWarningCode, number>();

  constructor(sink: MediaSink) {
    this.#sink = sink;
  }

  /** How often each code came up. */
  get counts(): ReadonlyMap<RtpWarningCode, number> {
    return this.#counts;
  }

  warn(code: RtpWarningCode, message: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= MAX_TOLD) this.#sink.onWarning?.({ code, message });
  }
}

import type { MediaSink } from "../access-unit.ts";

/** The closed list of warnings that a `TsDemuxer` gives. */
export type TsWarningCode =
  /** Bytes that are no transport stream packets were passed over. */
  | "sync_lost"
  /** A packet marked as damaged, or that contradicts itself. */
  | "packet_damaged"
  /** Scrambled packets; told once for each PID. */
  | "packet_scrambled"
  /** Packets of a PID are missing. */
  | "continuity_lost"
  /** A PAT or PMT that cannot be read. */
  | "table_malformed"
  /** A stream of a kind that is not read here; told once for each announcement. */
  | "stream_unsupported"
  /** A program with more streams than are read. */
  | "too_many_streams"
  | "pes_malformed"
  /** A PES packet or access unit above the limit was dropped. */
  | "pes_too_large"
  /** The early end of an unbounded PES packet was guessed wrong. */
  | "pes_end_misjudged"
  /** An access unit was handed on before its last bytes came. */
  | "access_unit_truncated"
  | "access_unit_malformed"
  /** An access unit came without timestamps; they were made up from those before. */
  | "timestamps_missing"
  /** A presentation before its decoding; moved up. */
  | "timestamp_invalid"
  /** Audio bytes that belong to no frame, or frames that cannot be read. */
  | "audio_malformed";

/** What one elementary stream needs of the demultiplexer around it. */
export interface StreamContext {
  readonly trackId: number;
  readonly language: string | undefined;
  readonly sink: MediaSink;
  /** Puts a 33-bit timestamp on the program's unwrapped timeline. */
  unwrap(raw: number): number;
  warn(code: TsWarningCode, message: string): void;
}

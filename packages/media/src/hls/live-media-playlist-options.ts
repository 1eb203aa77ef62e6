/** EXT-X-RENDITION-REPORT (RFC 8216bis §4.4.5.4). */
export interface RenditionReport {
  /** URI of the other Media Playlist, relative to this one. */
  readonly uri: string;
  readonly lastMsn: number;
  /** Absent while the rendition has no part. */
  readonly lastPart?: number | undefined;
}

export interface LiveMediaPlaylistOptions {
  /** EXT-X-TARGETDURATION, whole seconds. Constant. */
  readonly targetDuration: number;
  /** PART-TARGET, seconds with at most five decimals. Constant. */
  readonly partTarget: number;
  /** PART-HOLD-BACK, seconds; at least and by default three part targets. */
  readonly partHoldBack?: number;
  /** HOLD-BACK, seconds; at least three target durations; not printed when absent. */
  readonly holdBack?: number;
  /** CAN-SKIP-UNTIL, seconds; at least and by default six target durations. */
  readonly skipBoundary?: number;
  /** Whether delta updates are offered. Default true. */
  readonly canSkip?: boolean;
  /** 90 kHz ticks of segments to keep; never less than three target durations are. */
  readonly windowTicks: number;
  /** Segments to keep at most, where that keeps three target durations. */
  readonly maxSegments?: number;
  /** At the live edge, how many segments list their parts at most, the one that the hint is for counted. Default 3. */
  readonly maxSegmentsWithParts?: number;
  /** Print EXT-X-INDEPENDENT-SEGMENTS as long as every segment began with an independent frame. */
  readonly independentSegments?: boolean;
  /** Media Sequence Number of the first segment. Default 0. */
  readonly firstMediaSequence?: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE at the start. Default 0. */
  readonly firstDiscontinuitySequence?: number;
  /** Serial number of the first part. Default 0. */
  readonly firstPartSerial?: number;
  /** URI of a segment, by its Media Sequence Number. */
  readonly segmentUri: (msn: number) => string;
  /**
   * URI of a part, by its serial number: 0 for the rendition's first part, rising by one from part to part across
   * segments. It must depend on nothing else: the preload hint names the next part before it is known whether that
   * part continues the open segment or begins the next one (SPEC.md rule 20).
   */
  readonly partUri: (serial: number) => string;
  /** The other renditions; read at every render. */
  readonly reports?: () => readonly RenditionReport[];
  /** A segment rolled out of the window. Its media must stay available for as long as SPEC.md rule 9 says. */
  readonly onRemoved?: (segment: RemovedSegment) => void;
}

export interface RemovedSegment {
  readonly msn: number;
  readonly durationTicks: number;
  /** Serial number of its first part and how many it had. */
  readonly firstPartSerial: number;
  readonly partCount: number;
  readonly gap: boolean;
}

export interface PlaylistSegmentStart {
  /** Unix time, ms, of the first frame's presentation. */
  readonly programDateTimeMs: number;
  readonly discontinuity?: boolean;
  /** URI of the media initialization section; absent: as in the segment before. */
  readonly mapUri?: string;
  /** Whether the segment begins with an independent frame. Default true. */
  readonly independent?: boolean;
  /** No media is there: EXT-X-GAP, and every part is a gap. */
  readonly gap?: boolean;
}

export interface PartAppend {
  /** 90 kHz ticks. */
  readonly durationTicks: number;
  /** Whether it contains an independent frame. */
  readonly independent: boolean;
  readonly gap?: boolean;
}

/** Where a part stands. */
export interface PartPosition {
  readonly msn: number;
  /** Part index within its segment. */
  readonly part: number;
  readonly serial: number;
}

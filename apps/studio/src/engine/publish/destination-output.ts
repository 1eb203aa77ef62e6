import type { MediaSink } from "@klieg/media";
import type { LinkSample } from "./bitrate-controller.ts";
import type { PublishFailure } from "./publish-failure.ts";

/** What a connection to a destination says of itself; counters run from its beginning. */
export interface OutputStatistics {
  /** Bytes of media that were handed to the connection. */
  readonly bytesSent: number;
  readonly rttMs: number | null;
  /** Packets, where the protocol has such. */
  readonly packetsSent: number | null;
  readonly packetsReportedLost: number | null;
  readonly packetsRetransmitted: number | null;
  /** What waits to be sent or acknowledged, ms of media. */
  readonly bufferMs: number;
  readonly droppedFrames: number;
}

/**
 * An open connection to a destination. It takes access units at once and holds no more than its bounds: when the network does
 * not take them, pictures are left out up to the next keyframe, and counted.
 */
export interface DestinationOutput extends MediaSink, AsyncDisposable {
  /** Of the receiver's buffer, ms: what arrives later than that is lost. */
  readonly latencyMs: number;
  /** Called by its owner a few times a second: what the connection holds is looked at then. */
  sample(now: number): LinkSample;
  statistics(): OutputStatistics;
  /** Sends no more than so much from now on, bits/s; left out where the protocol sees to that by itself. */
  pace?(bitsPerSecond: number): void;
  /** Sends what waits, for a moment, and closes. Idempotent. */
  close(): Promise<void>;
}

/** What an output tells its owner. */
export interface OutputEvents {
  /** It has left pictures out, and takes them again. */
  readonly onKeyframeWanted: () => void;
  /** It closed by itself; not called after `close`. */
  readonly onClosed: (failure: PublishFailure) => void;
}

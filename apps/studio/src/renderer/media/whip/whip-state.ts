import type { ErrorBody } from "@klieg/protocol";

/** How one WHIP destination does. */
export interface WhipState {
  readonly destinationId: string;
  /** As `DestinationState` of the protocol says it. */
  readonly state: "connecting" | "live" | "reconnecting" | "failed" | "stopped";
  /** Attempts since it was last live. */
  readonly attempt: number;
  /** Epoch ms; undefined while none is planned. */
  readonly nextAttemptAt: number | undefined;
  /** The last thing that went wrong; undefined once live again. */
  readonly problem: ErrorBody["error"] | undefined;
  readonly statistics: WhipStatistics | undefined;
}

/** What WebRTC says of one connection, over the last second. */
export interface WhipStatistics {
  /** bits/s that left, pictures and sound. */
  readonly bitrate: number;
  /** What the browser thinks that the network takes, bits/s; 0 while it does not know. */
  readonly availableBitrate: number;
  /** What the browser asks of the picture's encoder now, bits/s; 0 while it does not tell. */
  readonly targetBitrate: number;
  readonly frameRate: number;
  readonly width: number;
  readonly height: number;
  readonly rttMs: number | undefined;
  /** Share of packets that the other end missed, 0 to 1. */
  readonly loss: number | undefined;
  /** Packets sent again, since this connection began. */
  readonly retransmitted: number;
  /** Why the browser sends less than it could: `none`, `cpu`, `bandwidth`, `other`. */
  readonly limitedBy: string;
  /** The codec in use, e.g. `video/H264`, and what encodes it, e.g. `OpenH264`. */
  readonly codec: string;
  readonly encoder: string;
  readonly hardware: boolean | undefined;
}

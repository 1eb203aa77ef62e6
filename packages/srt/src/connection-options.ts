import type { Pacing } from "./pacer.ts";
import type { DeliveryMode } from "./receiver.ts";

/** What both ends can choose about a connection. */
export interface SrtConnectionOptions {
  /** TSBPD delay wanted for what comes in, ms; the greater of both ends' wishes counts. */
  readonly latencyMs: number;
  /** Least TSBPD delay wanted of the peer for what goes out, ms. */
  readonly peerLatencyMs: number;
  readonly delivery: DeliveryMode;
  readonly tooLateDrop: boolean;
  /** SRTO_SNDDROPDELAY: ms added to the latency before the sender gives a packet up; -1: never. */
  readonly sendDropDelayMs: number;
  readonly maxReorderTolerance: number;
  /** Packets, a power of two; also the flow window announced. */
  readonly receiveBufferPackets: number;
  readonly sendBufferPackets: number;
  readonly idleTimeoutMs: number;
  /** How long `close` waits for the send buffer to empty, ms. */
  readonly lingerMs: number;
  readonly pacing: Pacing;
}

export const DEFAULT_CONNECTION_OPTIONS: SrtConnectionOptions = {
  latencyMs: 120,
  peerLatencyMs: 0,
  delivery: "paced",
  tooLateDrop: true,
  sendDropDelayMs: 0,
  maxReorderTolerance: 0,
  receiveBufferPackets: 8192,
  sendBufferPackets: 8192,
  idleTimeoutMs: 5000,
  lingerMs: 1000,
  pacing: { kind: "unlimited" },
};

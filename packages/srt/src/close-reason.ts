import type { CloseReason } from "@klieg/base";

/** How a connection came to its end. */
export type SrtCloseKind =
  /** `close` was called, or its listener was closed. */
  | "owner"
  /** The peer said goodbye. */
  | "peer_shutdown"
  /** Nothing came from the peer for the idle timeout. */
  | "idle_timeout"
  /** The peer broke the protocol or reported an error. */
  | "protocol_error"
  /** The handler threw. */
  | "handler_error"
  /** The UDP socket failed. */
  | "socket_error";

export interface SrtCloseReason extends CloseReason {
  readonly kind: SrtCloseKind;
}

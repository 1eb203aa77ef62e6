export { SrtCaller, type SrtCallerOptions } from "./caller.ts";
export {
  DEFAULT_CONNECTION_OPTIONS,
  type SrtCloseKind,
  type SrtCloseReason,
  SrtConnection,
  type SrtConnectionHandler,
  type SrtConnectionOptions,
} from "./connection.ts";
export type { KeyRefreshPolicy } from "./connection-keys.ts";
export type { SrtAccept, SrtAuthoriser, SrtConnectionRequest } from "./connection-request.ts";
export type { SrtStatistics } from "./connection-statistics.ts";
export { isPassphraseLength, type KeyLength } from "./key-material.ts";
export { SrtListener, type SrtListenerOptions, type SrtListenerStatistics } from "./listener.ts";
export { DEFAULT_HANDSHAKE_LIMITS, type HandshakeLimits } from "./listener-handshakes.ts";
export type { Pacing } from "./pacer.ts";
export type { DeliveryMode } from "./receiver.ts";
export { RejectReason, rejectReasonWords } from "./reject-reason.ts";
export { SrtError, type SrtErrorKind } from "./srt-error.ts";

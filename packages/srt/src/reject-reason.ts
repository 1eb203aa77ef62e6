/** Why a handshake was refused: libsrt's SRT_REJ_* below 1000, its access-control codes (SRT_REJX_*) from 1000. */
export const RejectReason = {
  unknown: 0,
  system: 1,
  peer: 2,
  resource: 3,
  rogue: 4,
  backlog: 5,
  internal: 6,
  close: 7,
  version: 8,
  rendezvousCookie: 9,
  badSecret: 10,
  unsecure: 11,
  messageApi: 12,
  congestion: 13,
  filter: 14,
  group: 15,
  timeout: 16,
  crypto: 17,
  overload: 1402,
  serverError: 1500,
} as const;

/** Handshake types from here on are refusals: type = base + reason. */
export const REJECT_TYPE_BASE = 1000;

const WORDS: Record<number, string> = {
  0: "unknown or erroneous",
  1: "error in system calls",
  2: "peer rejected connection",
  3: "resource allocation failure",
  4: "rogue peer or incorrect parameters",
  5: "listener's backlog exceeded",
  6: "internal program error",
  7: "socket is being closed",
  8: "peer version too old",
  9: "rendezvous-mode cookie collision",
  10: "incorrect passphrase",
  11: "password required or unexpected",
  12: "MessageAPI/StreamAPI collision",
  13: "congestion controller type collision",
  14: "packet filter settings error",
  15: "group settings collision",
  16: "connection timeout",
  17: "crypto mode",
  1400: "bad request",
  1401: "unauthorized",
  1402: "overload",
  1403: "forbidden",
  1404: "not found",
  1405: "bad mode",
  1406: "unacceptable",
  1407: "already in use (lock)",
  1408: "timeout",
  1409: "conflict",
  1410: "gone",
  1415: "unsupported media type",
  1423: "locked",
  1424: "failed dependency",
  1500: "internal server error",
  1501: "unimplemented",
  1502: "bad gateway",
  1503: "service down",
  1504: "version not supported",
  1507: "insufficient storage",
};

/** libsrt's words for `reason`. */
export function rejectReasonWords(reason: number): string {
  return (
    WORDS[reason] ??
    (reason < 1000
      ? `reason ${reason}`
      : reason < 2000
        ? `predefined reason ${reason}`
        : `application-defined reason ${reason}`)
  );
}

import { MESSAGE } from "./message.ts";

/** What a server takes from its peers; all of it is enforced. */
export interface ServerLimits {
  readonly maxConnections: number;
  /** Per IPv4 address, or per /64 of IPv6. */
  readonly maxConnectionsPerIp: number;
  /** From the connection to the end of the handshake (for RTMPS: of the TLS handshake, then of RTMP's), ms. */
  readonly handshakeTimeoutMs: number;
  /** From the end of the handshake, or of the last publication, to a publish command, ms. */
  readonly publishTimeoutMs: number;
  /** What the authoriser may take, ms. */
  readonly authoriseTimeoutMs: number;
  /** Without an audio or video message while publishing, ms. */
  readonly mediaTimeoutMs: number;
  /** Largest chunk size an encoder may set, bytes. Message buffers have the message's length, so it costs nothing. */
  readonly maxChunkSize: number;
  readonly maxChunkStreams: number;
  /** Video and aggregate messages, bytes. */
  readonly maxVideoMessageLength: number;
  readonly maxAudioMessageLength: number;
  /** Commands, metadata and all the rest; also for every message until a publication is authorised. */
  readonly maxCommandMessageLength: number;
  /** All unfinished messages of one connection together, bytes. */
  readonly maxPartialBytes: number;
  /** Answers that an encoder leaves unread, bytes. */
  readonly maxWriteBacklog: number;
  /** What an encoder gets to read our last words and close, ms. */
  readonly lingerMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  maxConnections: 1000,
  maxConnectionsPerIp: 50,
  handshakeTimeoutMs: 8_000,
  publishTimeoutMs: 15_000,
  authoriseTimeoutMs: 10_000,
  mediaTimeoutMs: 30_000,
  maxChunkSize: 0x7fffffff,
  maxChunkStreams: 64,
  maxVideoMessageLength: 16 * MIB - 1,
  maxAudioMessageLength: MIB,
  maxCommandMessageLength: 256 * 1024,
  maxPartialBytes: 20 * MIB,
  maxWriteBacklog: MIB,
  lingerMs: 2_000,
};

/** The longest message of `type` that is taken while something is published. */
export function maxMessageLength(limits: ServerLimits, type: number): number {
  if (type === MESSAGE.video || type === MESSAGE.aggregate) return limits.maxVideoMessageLength;
  if (type === MESSAGE.audio) return limits.maxAudioMessageLength;
  return limits.maxCommandMessageLength;
}

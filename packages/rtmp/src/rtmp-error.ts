/** What about the peer's bytes broke the protocol. */
export type RtmpErrorCode =
  | "handshake_invalid"
  | "handshake_timeout"
  | "chunk_invalid"
  | "message_too_long"
  | "too_many_chunk_streams"
  | "partial_messages_too_large"
  | "amf_invalid"
  | "command_invalid"
  | "publish_timeout"
  | "media_timeout"
  | "peer_not_reading";

/** The peer broke RTMP or one of the limits set on it. The connection cannot go on. */
export class RtmpProtocolError extends Error {
  override readonly name = "RtmpProtocolError";
  readonly code: RtmpErrorCode;

  constructor(code: RtmpErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

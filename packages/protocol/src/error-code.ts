/**
 * The one table of error codes. Every error that leaves the backend, through whichever door, or the studio's
 * engine is one of these rows. Adapters translate what happened into a row; they never invent a code.
 */
export interface ErrorRow {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /**
   * `code` property of the RTMP `onStatus` information object, where an encoder can meet the error. Only codes for
   * which OBS shows its user the description: it passes over those of other names.
   */
  readonly rtmp?: string;
  /** SRT handshake reject code (1000 + HTTP-like for 1xxx; libsrt's access-control codes), where an encoder can meet the error. */
  readonly srt?: number;
}

export const ERROR_TABLE = {
  bad_request: { status: 400, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1400 },
  unauthorized: { status: 401, retryable: false },
  stream_key_missing: { status: 401, retryable: false, rtmp: "NetStream.Publish.Denied", srt: 1401 },
  stream_key_invalid: { status: 401, retryable: false, rtmp: "NetStream.Publish.Denied", srt: 1401 },
  stream_key_revoked: { status: 403, retryable: false, rtmp: "NetStream.Publish.Denied", srt: 1403 },
  forbidden: { status: 403, retryable: false, rtmp: "NetStream.Publish.Denied", srt: 1403 },
  passphrase_wrong: { status: 401, retryable: false, srt: 10 },
  channel_unknown: { status: 404, retryable: false, rtmp: "NetStream.Publish.BadName", srt: 1404 },
  stream_unknown: { status: 404, retryable: false },
  stream_not_live: { status: 404, retryable: true },
  not_found: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false, rtmp: "NetStream.Play.Failed", srt: 1405 },
  not_acceptable: { status: 406, retryable: false },
  conflict: { status: 409, retryable: false, rtmp: "NetStream.Publish.BadName", srt: 1409 },
  gone: { status: 410, retryable: false },
  payload_too_large: { status: 413, retryable: false },
  media_unsupported: { status: 415, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1415 },
  codec_not_allowed: { status: 415, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1415 },
  resolution_too_high: { status: 422, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1406 },
  bitrate_too_high: { status: 422, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1406 },
  keyframe_interval_too_long: { status: 422, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1406 },
  media_malformed: { status: 422, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1400 },
  range_not_satisfiable: { status: 416, retryable: false },
  blocking_reload_too_far: { status: 400, retryable: true },
  blocking_reload_timeout: { status: 503, retryable: true },
  rate_limited: { status: 429, retryable: true, rtmp: "NetStream.Publish.Rejected", srt: 1402 },
  timeout: { status: 408, retryable: true, rtmp: "NetStream.Publish.Rejected", srt: 1408 },
  taken_over: { status: 409, retryable: false, rtmp: "NetStream.Publish.BadName", srt: 1409 },
  stopped_by_owner: { status: 410, retryable: false, rtmp: "NetStream.Publish.Rejected", srt: 1410 },
  shutting_down: { status: 503, retryable: true, rtmp: "NetStream.Publish.Rejected", srt: 1503 },
  overloaded: { status: 503, retryable: true, rtmp: "NetStream.Publish.Rejected", srt: 1503 },
  storage_unavailable: { status: 507, retryable: true },
  transcoder_unavailable: { status: 503, retryable: true },
  /** WebRTC cannot be had here, or not now: no media worker, or it failed. */
  webrtc_unavailable: { status: 503, retryable: true },
  /** The session description cannot be taken: malformed, too big, or nothing in it that both ends know. */
  sdp_invalid: { status: 400, retryable: false },
  precondition_required: { status: 428, retryable: false },
  precondition_failed: { status: 412, retryable: false },
  room_full: { status: 503, retryable: true },
  room_locked: { status: 403, retryable: true },
  invite_invalid: { status: 401, retryable: false },
  invite_expired: { status: 401, retryable: false },
  /** The other end could not be reached, or does not speak what was expected of it. */
  unreachable: { status: 502, retryable: true },
  /** This program cannot do it at all, as a browser without the app cannot send by SRT. */
  not_supported: { status: 501, retryable: false },
  encoder_unavailable: { status: 503, retryable: true },
  internal: { status: 500, retryable: true, rtmp: "NetStream.Failed", srt: 1500 },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** The row of `code`, typed with its optional columns. */
export function errorRow(code: ErrorCode): ErrorRow {
  return ERROR_TABLE[code];
}

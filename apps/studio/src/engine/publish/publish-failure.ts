import { ERROR_TABLE, type ErrorCode, errorRow, KliegError } from "@klieg/protocol";
import { RtmpPublishError } from "@klieg/rtmp";
import { RejectReason, rejectReasonWords, SrtError } from "@klieg/srt";

/**
 * Whether trying again can help. `network`: it is tried for as long as the broadcast lasts; `unclear`: the other end hangs up
 * without a word, as many do on a wrong key; `refused`: it said no; `final`: it said no, and will not think better of it.
 */
export type FailureKind = "network" | "unclear" | "refused" | "final";

/** Why a destination is not on air. */
export class PublishFailure extends Error {
  override readonly name = "PublishFailure";
  readonly kind: FailureKind;
  /** For the user. */
  readonly error: KliegError;

  constructor(kind: FailureKind, error: KliegError) {
    super(error.message, { cause: error });
    this.kind = kind;
    this.error = error;
  }

  /** `error` itself when it is one already; else it is judged by whether its row of the table can be tried again. */
  static from(error: unknown): PublishFailure {
    if (error instanceof PublishFailure) return error;
    const known = KliegError.from(error);
    // A Klieg backend says so of a key that it knows, and that its owner took back.
    if (known.code === "stream_key_revoked") return new PublishFailure("final", known);
    return new PublishFailure(known.retryable ? "network" : "refused", known);
  }
}

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];
/** SRT has one number for several rows: what they mean to somebody who has sent a key. */
const CODE_BY_REJECTION: Readonly<Record<number, ErrorCode>> = {
  10: "passphrase_wrong",
  11: "passphrase_wrong",
  1400: "bad_request",
  1401: "stream_key_invalid",
  1403: "stream_key_revoked",
  1406: "resolution_too_high",
  1409: "conflict",
  1503: "shutting_down",
};
const WORDS_BY_CODE: Readonly<Partial<Record<ErrorCode, string>>> = {
  bad_request: "The server does not understand the stream id. Check the stream key.",
  stream_key_missing: "The server wants a stream key. Enter it in the destination's settings.",
  stream_key_invalid: "The stream key is wrong. Paste it again in the destination's settings.",
  stream_key_revoked:
    "The stream key is no longer valid. Ask for a new one and enter it in the destination's settings.",
  channel_unknown: "The server does not know this channel or stream. Check the stream key.",
  method_not_allowed: "The server does not let this address publish.",
  conflict: "Somebody else is on air with this stream key.",
  media_unsupported: "The server does not take this kind of media.",
  resolution_too_high: "The server does not take so high a resolution or bit rate. Lower it in the settings.",
  rate_limited: "The server has no room for another stream at the moment.",
  timeout: "The server gave up waiting.",
  stopped_by_owner: "The stream was ended on the server.",
  shutting_down: "The server is being restarted.",
  internal: "The server failed.",
  passphrase_wrong: "The passphrase is wrong. Enter it again in the destination's settings.",
};

/** What went wrong with an SRT connection. */
export function srtFailure(error: unknown, host: string): PublishFailure {
  if (!(error instanceof SrtError)) {
    const words = error instanceof Error ? error.message : String(error);
    return failure("network", "unreachable", `${host} cannot be reached: ${words}`, error);
  }
  switch (error.kind) {
    case "rejected":
      return srtRejection(error);
    case "timeout":
      return failure(
        "network",
        "unreachable",
        `${host} does not answer. Check the address, and that UDP gets through.`,
        error,
      );
    case "socket":
      return failure("network", "unreachable", `${host} cannot be reached: ${error.message}`, error);
    case "protocol":
      return failure("unclear", "unreachable", `${host} does not speak SRT as expected: ${error.message}`, error);
    case "closed":
      return failure("network", "unreachable", error.message, error);
  }
}

function srtRejection(error: SrtError): PublishFailure {
  const reason = error.rejectReason ?? RejectReason.unknown;
  if (reason === RejectReason.unsecure) {
    const words = "One end wants a passphrase and the other has none. Check it in the destination's settings.";
    return failure("refused", "passphrase_wrong", words, error);
  }
  const code = CODE_BY_REJECTION[reason] ?? CODES.find((code) => errorRow(code).srt === reason);
  if (code === undefined) {
    return failure("unclear", "unreachable", `The server turned the stream down: ${rejectReasonWords(reason)}.`, error);
  }
  return refusal(code, error);
}

function refusal(code: ErrorCode, cause: Error): PublishFailure {
  const words = WORDS_BY_CODE[code] ?? cause.message;
  return failure(errorRow(code).retryable ? "network" : "refused", code, words, cause);
}

/** What went wrong with an RTMP connection. */
export function rtmpFailure(error: unknown, host: string): PublishFailure {
  if (error instanceof TypeError) return failure("refused", "bad_request", error.message, error);
  if (!(error instanceof RtmpPublishError)) {
    const words = error instanceof Error ? error.message : String(error);
    return failure("network", "unreachable", `${host} cannot be reached: ${words}`, error);
  }
  const { stage, serverCode } = error;
  if (stage === "network" || stage === "handshake") return failure("network", "unreachable", error.message, error);
  if (serverCode !== undefined || error.serverDescription !== undefined) {
    const said = error.serverDescription || serverCode || "no reason given";
    const words = `The server refuses the stream: ${said}`;
    // A stream that was taken, and then ended by the server, may be taken again.
    return failure(stage === "live" ? "unclear" : "refused", rtmpCode(serverCode), words, error);
  }
  if (stage === "live") return failure("network", "unreachable", error.message, error);
  const words = `${host} hangs up before the stream begins. If this goes on, check the address and the stream key.`;
  return failure("unclear", "unreachable", words, error);
}

function rtmpCode(serverCode: string | undefined): ErrorCode {
  if (serverCode === "NetStream.Publish.Denied") return "stream_key_invalid";
  return serverCode === "NetStream.Publish.BadName" ? "conflict" : "forbidden";
}

/** @param words for the user: what is wrong, and what to do. */
export function failure(kind: FailureKind, code: ErrorCode, words: string, cause?: unknown): PublishFailure {
  return new PublishFailure(kind, new KliegError(code, words, { cause }));
}

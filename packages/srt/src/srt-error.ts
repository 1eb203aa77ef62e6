import { rejectReasonWords } from "./reject-reason.ts";

/** What kind of failure an {@link SrtError} is. */
export type SrtErrorKind =
  /** The peer refused the handshake; `rejectReason` says why. */
  | "rejected"
  /** The peer did not answer in time. */
  | "timeout"
  /** The peer broke the protocol. */
  | "protocol"
  /** The UDP socket failed. */
  | "socket"
  /** The operation was cut short by its owner. */
  | "closed";

/** A failure of the SRT layer; adapters translate it into a row of the error table. */
export class SrtError extends Error {
  override readonly name = "SrtError";
  readonly kind: SrtErrorKind;
  /** libsrt's SRT_REJ_* or SRT_REJX_* code where `kind` is `rejected`. */
  readonly rejectReason: number | undefined;

  constructor(kind: SrtErrorKind, message: string, options: { cause?: unknown; rejectReason?: number } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.rejectReason = options.rejectReason;
  }

  /** The peer refused with `reason` (SRT_REJ_* or SRT_REJX_*). */
  static rejected(reason: number): SrtError {
    return new SrtError("rejected", `The connection was rejected: ${rejectReasonWords(reason)} (${reason}).`, {
      rejectReason: reason,
    });
  }
}

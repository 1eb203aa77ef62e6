import { z } from "zod";
import { ERROR_TABLE, type ErrorCode, errorRow } from "./error-code.ts";

/** An error that carries a row of the code table; the only kind that crosses a module boundary. */
export class KliegError extends Error {
  override readonly name = "KliegError";
  readonly code: ErrorCode;

  /** @param message words for the person on the other end: what is wrong and what to do. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same request may succeed later without being changed. */
  get retryable(): boolean {
    return errorRow(this.code).retryable;
  }

  /** HTTP status of the answer. */
  get status(): number {
    return errorRow(this.code).status;
  }

  /** The body of every HTTP error answer. */
  toBody(): ErrorBody {
    return { error: { code: this.code, message: this.message, retryable: this.retryable } };
  }

  /** `error` itself when it is one already, else an `internal` error that keeps it as its cause. */
  static from(error: unknown): KliegError {
    if (error instanceof KliegError) return error;
    return new KliegError("internal", "Something failed on the server.", { cause: error });
  }
}

const codes = Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]];

/** `{error: {code, message, retryable}}`. */
export const ErrorBody = z.object({
  error: z.object({ code: z.enum(codes), message: z.string(), retryable: z.boolean() }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

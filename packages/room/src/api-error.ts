/** An answer that is not what was asked for. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** A code of the backend's error table, or `network` (no answer) or `malformed` (not an answer of this API). */
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
  }
}

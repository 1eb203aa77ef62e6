/**
 * Why bytes could not be read.
 * `truncated`: they end before a field that must be there; `malformed`: a field has a value that the
 * specification forbids or that no real stream has; `unsupported`: well formed, but of a kind not handled here.
 */
export type MediaErrorCode = "truncated" | "malformed" | "unsupported";

/** The only error that a parser of this package throws on account of its input. */
export class MediaError extends Error {
  override readonly name = "MediaError";
  readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

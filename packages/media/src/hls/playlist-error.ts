/**
 * A promise to the playlist model was broken by its owner (a bug, never an outside input).
 * `bad_option`: a construction value that the specification forbids; `part_too_long`: over the part target;
 * `segment_too_long`: EXTINF would round to more than the target duration; `no_open_segment`; `segment_open`;
 * `no_map`: the first segment names no media initialization section; `bad_text`: a URI or attribute value with a
 * quote, a line break or another control character; `ended`: after `end()`.
 */
export type PlaylistErrorCode =
  | "bad_option"
  | "part_too_long"
  | "segment_too_long"
  | "no_open_segment"
  | "segment_open"
  | "no_map"
  | "bad_text"
  | "ended";

export class PlaylistError extends Error {
  override readonly name = "PlaylistError";
  readonly code: PlaylistErrorCode;

  constructor(code: PlaylistErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

import type { CaptureStatus } from "@klieg/protocol";

/**
 * How the capture of one source does.
 * - `opening`: asked for; the browser may be asking its user.
 * - `live`: there are pictures, or sound.
 * - `waiting`: it takes its user to begin: a screen has to be picked, a guest is awaited.
 * - `gone`: it was there and is not now; it comes back by itself when it can.
 * - `failed`: `problem` says why; `Captures.retry` tries again.
 */
export type CaptureState = "opening" | "live" | "waiting" | "gone" | "failed";

/**
 * Why there is nothing to be seen or heard of a source.
 * - `denied`: by the user or the system; `revoked`: it was allowed before.
 * - `not_found`: there is no such device; `unplugged`: it was there.
 * - `in_use`: another program holds the device.
 * - `no_picture`: the camera is open, and sends nothing.
 * - `mode`: the device has no picture of the wanted size or rate.
 * - `not_picked`: no screen, window or tab is chosen; `picker_closed`: its user thought better of it; `sharing_ended`: stopped
 *   by the browser's own button, or the window was closed.
 * - `missing_file`, `unreadable_file`: the show's file is not there, or nothing the browser can open.
 * - `no_guest`: nobody sits there.
 * - `insecure`: the page is not on a secure address, so the browser has no devices for it.
 * - `stream_unreachable`, `stream_silent`: a stream's server does not answer, or sends nothing; it is tried again.
 * - `stream_missing`: there is nothing of that name at the address; it is tried again.
 * - `stream_refused`: the server wants another user or password; `stream_forbidden`: it, or the system, does not let the studio in.
 * - `stream_unreadable`: what comes is nothing that can be shown; `stream_address`: it is no address that is opened.
 * - `engine_only`: what only the engine can open, and no engine has.
 * - `unknown`: something else; `detail` has what the browser said.
 */
export type CaptureProblemKind =
  | "denied"
  | "revoked"
  | "not_found"
  | "unplugged"
  | "in_use"
  | "no_picture"
  | "mode"
  | "not_picked"
  | "picker_closed"
  | "sharing_ended"
  | "missing_file"
  | "unreadable_file"
  | "no_guest"
  | "insecure"
  | "stream_unreachable"
  | "stream_silent"
  | "stream_missing"
  | "stream_refused"
  | "stream_forbidden"
  | "stream_unreadable"
  | "stream_address"
  | "engine_only"
  | "unknown";

export interface CaptureProblem {
  readonly kind: CaptureProblemKind;
  /** In words of the catalogue, with what to do. */
  readonly message: string;
  /** What the browser said, or the device's name; for a tooltip or a log. */
  readonly detail: string;
}

/** What there is of one source now. A new object whenever anything of it changes. */
export interface Capture {
  readonly sourceId: string;
  readonly state: CaptureState;
  readonly problem: CaptureProblem | undefined;
  readonly video: MediaStreamTrack | undefined;
  readonly audio: MediaStreamTrack | undefined;
  /** What the engine says of it, where the engine captures it and it is live. */
  readonly stream: CaptureStatus | undefined;
  /** The picture's own size, pixels, as transforms are measured against; 0 while it is not known. */
  readonly width: number;
  readonly height: number;
}

/**
 * The one place that says what the player does when something goes wrong. Pure: a fault and what happened before go in, one action
 * and the new memory come out. The owner of the engine carries the action out.
 */

/** Something that went wrong, whoever noticed it. */
export interface Fault {
  /** `engine`: hls.js. `element`: the video element's own error. `watchdog`: nothing moved although media was due. */
  readonly origin: "engine" | "element" | "watchdog";
  /** hls.js error type (`networkError`, `mediaError`, …), or for the element `abort`, `network`, `decode`, `source`. */
  readonly type: string;
  /** hls.js error detail (`levelLoadError`, …) or the element's own words. */
  readonly detail: string;
  /** False when the engine goes on by itself. */
  readonly fatal: boolean;
  /** HTTP status of the answer at fault; null when there was none. */
  readonly status: number | null;
  /** Whether the element plays the URL itself, without Media Source Extensions. */
  readonly native: boolean;
}

const ELEMENT_ERRORS = ["abort", "network", "decode", "source"];

/** The video element's own error. */
export function elementFault(error: Pick<MediaError, "code" | "message">, native: boolean): Fault {
  const type = ELEMENT_ERRORS[error.code - 1] ?? "decode";
  return { origin: "element", type, detail: error.message || type, fatal: true, status: null, native };
}

/** Code or data that did not arrive at all. */
export function networkFault(detail: string): Fault {
  return { origin: "element", type: "network", detail, fatal: true, status: null, native: false };
}

/** Nothing moved although media was due. */
export function watchdogFault(detail: string): Fault {
  return { origin: "watchdog", type: "stuck", detail, fatal: true, status: null, native: false };
}

/** Why playback stopped, for the viewer. */
export type FailureReason = "unreachable" | "forbidden" | "unsupported" | "undecodable" | "internal";

export type Recovery =
  /** The engine handles it. */
  | { readonly act: "none" }
  /** Ask the engine to load on from where it is. */
  | { readonly act: "resume-load"; readonly afterMs: number }
  /** Reset the decoder and go on. */
  | { readonly act: "recover-media" }
  /** As above, having claimed the other AAC flavour. */
  | { readonly act: "swap-audio-codec" }
  /** Start afresh at the live edge. `askChannel`: the stream may be gone, so ask what the channel says at once. */
  | { readonly act: "reload"; readonly afterMs: number; readonly reason: FailureReason; readonly askChannel: boolean }
  /** Nothing that the player can do by itself will help. */
  | { readonly act: "give-up"; readonly reason: FailureReason };

export interface RecoveryMemory {
  /** Faults of the network since playback last ran steadily. */
  readonly network: number;
  /** When the decoder failed lately, ms. */
  readonly media: readonly number[];
  /** When the engine itself failed lately, ms. */
  readonly internal: readonly number[];
}

export const FRESH: RecoveryMemory = { network: 0, media: [], internal: [] };

export interface Decision {
  readonly recovery: Recovery;
  readonly memory: RecoveryMemory;
}

const FIRST_DELAY_MS = 700;
const LONGEST_DELAY_MS = 15_000;
/** Decoder faults that lie further back than this are forgotten. */
const MEDIA_WINDOW_MS = 30_000;
const INTERNAL_WINDOW_MS = 60_000;

/** hls.js details that mean that this browser has no decoder for what is offered; trying again changes nothing. */
const UNSUPPORTED = new Set([
  "manifestIncompatibleCodecsError",
  "bufferIncompatibleCodecsError",
  "bufferAddCodecError",
  "keySystemNoAccess",
  "keySystemNoKeys",
]);
/** hls.js details of a stream that is already playing: loading on may be enough. */
const MID_STREAM = new Set([
  "levelLoadError",
  "levelLoadTimeOut",
  "audioTrackLoadError",
  "audioTrackLoadTimeOut",
  "fragLoadError",
  "fragLoadTimeOut",
]);
/** Answers that say that what was asked for is not there (any more). */
const ABSENT = new Set([404, 410]);
const FORBIDDEN = new Set([401, 403, 451]);

/** @param now ms, monotonic. @param random 0 to 1; spreads out the viewers who all lost the same server. */
export function decide(fault: Fault, memory: RecoveryMemory, now: number, random: number): Decision {
  if (!fault.fatal) return { recovery: { act: "none" }, memory };
  switch (kindOf(fault)) {
    case "ignore":
      return { recovery: { act: "none" }, memory };
    case "unsupported":
      return { recovery: { act: "give-up", reason: "unsupported" }, memory };
    case "network":
      return onNetwork(fault, memory, random);
    case "media":
      return onMedia(fault, memory, now, random);
    case "internal":
      return onInternal(memory, now);
  }
}

/** What to remember once playback has run steadily for a while: networks heal, decoders rarely do. */
export function settled(memory: RecoveryMemory): RecoveryMemory {
  return memory.network === 0 ? memory : { ...memory, network: 0 };
}

/** Wait before attempt number `attempt` (0 is the first): doubles up to 15 s, give or take a fifth. */
export function backOff(attempt: number, random: number): number {
  const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return Math.round(delay * (0.8 + 0.4 * random));
}

function kindOf(fault: Fault): "ignore" | "unsupported" | "network" | "media" | "internal" {
  if (UNSUPPORTED.has(fault.detail)) return "unsupported";
  if (fault.origin === "watchdog") return "network";
  if (fault.origin === "element") {
    if (fault.type === "abort") return "ignore";
    if (fault.type === "network") return "network";
    // Without Media Source Extensions the element cannot tell a missing playlist from a codec it lacks.
    if (fault.type === "source") return fault.native ? "network" : "media";
    return "media";
  }
  switch (fault.type) {
    case "networkError":
      return "network";
    case "mediaError":
    case "muxError":
      return "media";
    case "keySystemError":
      return "unsupported";
    default:
      return "internal";
  }
}

function onNetwork(fault: Fault, memory: RecoveryMemory, random: number): Decision {
  const attempt = memory.network;
  const remembered = { ...memory, network: attempt + 1 };
  if (fault.status !== null && FORBIDDEN.has(fault.status)) {
    return { recovery: { act: "give-up", reason: "forbidden" }, memory: remembered };
  }
  const absent = fault.status !== null && ABSENT.has(fault.status);
  if (fault.origin === "engine" && attempt === 0 && MID_STREAM.has(fault.detail) && !absent) {
    return { recovery: { act: "resume-load", afterMs: backOff(0, random) }, memory: remembered };
  }
  // A broadcast page is left open for hours: the player never stops trying, only slows down.
  const afterMs = backOff(attempt, random);
  return { recovery: { act: "reload", afterMs, reason: "unreachable", askChannel: true }, memory: remembered };
}

function onMedia(fault: Fault, memory: RecoveryMemory, now: number, random: number): Decision {
  const media = [...memory.media.filter((at) => now - at < MEDIA_WINDOW_MS), now];
  return { recovery: mediaRecovery(media.length, fault.native, random), memory: { ...memory, media } };
}

function mediaRecovery(nth: number, native: boolean, random: number): Recovery {
  if (nth > 5) return { act: "give-up", reason: "undecodable" };
  if (!native && nth === 1) return { act: "recover-media" };
  if (!native && nth === 2) return { act: "swap-audio-codec" };
  return {
    act: "reload",
    afterMs: backOff(native ? nth - 1 : nth - 3, random),
    reason: "undecodable",
    askChannel: false,
  };
}

function onInternal(memory: RecoveryMemory, now: number): Decision {
  const internal = [...memory.internal.filter((at) => now - at < INTERNAL_WINDOW_MS), now];
  const recovery: Recovery =
    internal.length > 3
      ? { act: "give-up", reason: "internal" }
      : { act: "reload", afterMs: FIRST_DELAY_MS, reason: "internal", askChannel: false };
  return { recovery, memory: { ...memory, internal } };
}

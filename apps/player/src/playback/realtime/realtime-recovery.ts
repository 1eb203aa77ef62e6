/**
 * What is done when a real-time connection brings nothing: the one place that decides it, pure. The engine carries it out.
 */

/** What the session resource said last. */
export type ResourceState =
  | "unknown"
  /** It sends. */
  | "sending"
  /** It is there, but its source is not, or sends nothing. */
  | "waiting"
  /** There is no such session any more. */
  | "gone"
  /** No answer. */
  | "unreachable";

/** All times in ms. */
export interface RealtimeSituation {
  /** Since media last came, or since it was first asked for. */
  readonly silentFor: number;
  readonly connection: RTCPeerConnectionState;
  readonly resource: ResourceState;
  /** Since the resource said that. */
  readonly resourceAge: number;
  /** What the channel says. */
  readonly sourceLive: boolean;
  /** A session is being opened, or ICE restarted. */
  readonly busy: boolean;
  /** Since the last ICE restart began; null where there was none in this silence. */
  readonly restartedFor: number | null;
  /** Whether the last attempt to open a session lies far enough back for another. */
  readonly mayRenew: boolean;
}

export type RealtimeAction =
  | "none"
  /** Ask the session resource how it is doing. */
  | "ask"
  | "restart-ice"
  /** Open a new session. */
  | "renew"
  /** Watch by other means. */
  | "give-up";

/** Media comes at least so often, or something is wrong. */
export const SILENT_AFTER_MS = 1000;
/** Silent for so long, real time is not to be had again quickly. */
const GIVE_UP_AFTER_MS = 6000;
/** The channel is live, but nothing comes from its source: it may be lost and not yet given up, which is no better by playlists. */
const GIVE_UP_WAITING_AFTER_MS = 20_000;
/** What the resource said holds for so long. */
const FRESH_MS = 1000;
const FRESH_WHILE_WAITING_MS = 2000;
/** An ICE restart has worked by then, or has not: Chromium takes two seconds to use the addresses of another network. */
const RESTARTED_BY_MS = 3000;

export function realtimeAction(now: RealtimeSituation): RealtimeAction {
  const broken = now.connection === "disconnected" || now.connection === "failed" || now.connection === "closed";
  if (now.silentFor < SILENT_AFTER_MS && !broken) return "none";
  // Whoever waits for the encoder hears of its return from the channel; asking here too, all viewers would ask at once.
  if (!now.sourceLive) return "none";
  const patience = now.resource === "waiting" ? GIVE_UP_WAITING_AFTER_MS : GIVE_UP_AFTER_MS;
  if (now.silentFor >= patience) return "give-up";
  if (now.busy) return "none";
  const fresh = now.resource === "waiting" ? FRESH_WHILE_WAITING_MS : FRESH_MS;
  if (now.resource === "unknown" || now.resourceAge >= fresh) return "ask";
  switch (now.resource) {
    case "gone":
      return now.mayRenew ? "renew" : "none";
    case "waiting":
      return broken && now.mayRenew ? "renew" : "none";
    case "unreachable":
      return "none";
    case "sending":
      if (now.connection === "closed") return "renew";
      if (now.restartedFor === null) return "restart-ice";
      return now.restartedFor >= RESTARTED_BY_MS && now.mayRenew ? "renew" : "none";
  }
}

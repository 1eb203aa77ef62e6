import type { ChannelSnapshot } from "../api/channel-watch.ts";
import type { PlaybackState } from "../playback/playback-state.ts";

/**
 * What the viewer is looking at: one word for the whole player, which picks the words shown over the picture, and which tests read
 * as `data-state`.
 */
export type Stage =
  /** Nothing known yet, or on the way to the first frame. */
  | "connecting"
  /** No such channel. */
  | "missing"
  /** The server does not answer. */
  | "unreachable"
  | "offline"
  /** An encoder is connected; its first media is on the way. */
  | "starting"
  /** The broadcast that was watched is over. */
  | "ended"
  /** Live, and waiting for the viewer to start it. */
  | "ready"
  /** The autoplay policy wants a gesture. */
  | "blocked"
  | "playing"
  | "paused"
  | "buffering"
  /** The encoder is gone for the moment. */
  | "interrupted"
  /** Playback broke and is tried again. */
  | "retrying"
  | "failed";

/** Pure. */
export function stageOf(snapshot: ChannelSnapshot, playback: PlaybackState): Stage {
  if (playback.phase === "playing") return "playing";
  if (snapshot.status === "missing") return "missing";
  const { channel } = snapshot;
  const gone = channel !== null && (channel.live_stream_id === null || channel.state === "ended");
  if (gone && playback.phase !== "paused") return snapshot.ended ? "ended" : "offline";
  if (channel?.state === "starting" && (playback.phase === "ended" || playback.phase === "idle")) return "starting";
  if (playback.phase === "ended") return "ended";
  if (playback.phase === "failed") return "failed";
  if (playback.withheld === "playback") return "blocked";
  if (channel?.state === "interrupted" && playback.phase !== "paused" && playback.phase !== "ready")
    return "interrupted";
  // The first attempt usually succeeds; words that vanish at once would only alarm.
  if (playback.failure !== null && playback.failure.attempt > 1 && playback.phase !== "paused") return "retrying";
  switch (playback.phase) {
    case "ready":
      return "ready";
    case "paused":
      return "paused";
    case "waiting":
      return "buffering";
    case "loading":
      return "connecting";
    case "idle":
      return snapshot.unreachable ? "unreachable" : "connecting";
  }
}

/** Stages with moving or halted pictures under the controls; in the others there is nothing to control. */
export function hasControls(stage: Stage): boolean {
  return stage === "playing" || stage === "paused" || stage === "buffering" || stage === "interrupted";
}

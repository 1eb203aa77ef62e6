import type { LiveEdge, PlaylistEngine } from "./engine.ts";
import { LiveHold } from "./live-hold.ts";
import type { LiveWindow, PlaybackStore } from "./playback-state.ts";

/** Nearer to the live position than this counts as live. Seconds. */
const LIVE_TOLERANCE = 1.5;

/** The live window of a playlist on the element's timeline: holding the live edge, and leaving it for the past. */
export class LiveTimeline {
  readonly hold: LiveHold;
  readonly #video: HTMLVideoElement;
  readonly #store: PlaybackStore;

  constructor(video: HTMLVideoElement, store: PlaybackStore) {
    this.#video = video;
    this.#store = store;
    this.hold = new LiveHold(video);
  }

  /** Returns to the live edge. @param edge null where there is none to go to. */
  goLive(edge: LiveEdge | null): void {
    this.hold.restart();
    this.#store.setState({ following: true });
    if (edge) this.#video.currentTime = this.hold.livePosition(edge);
  }

  /** Goes to `time`, seconds, kept within the live window. */
  seekTo(time: number, edge: LiveEdge): void {
    if (time >= this.hold.livePosition(edge) - LIVE_TOLERANCE) {
      this.goLive(edge);
    } else {
      this.#store.setState({ following: false });
      this.#video.currentTime = Math.max(time, edge.start + 0.1);
    }
  }

  /** To be called a few times a second. @param now monotonic ms. @param byClock latency by wall clock, seconds; null where unknown. */
  tick(engine: PlaylistEngine, edge: LiveEdge, now: number, byClock: number | null): void {
    const { following, phase } = this.#store.getState();
    this.hold.tick(engine, edge, now, following && phase === "playing", phase === "waiting");
    const position = this.#video.currentTime;
    const end = this.hold.livePosition(edge);
    const window: LiveWindow = { start: edge.start, end: Math.max(edge.start, end), position };
    this.#store.setState({
      window,
      latency: byClock ?? edge.edge - position,
      // A pause of a moment does not end being live; catching up closes the rest.
      following: phase === "paused" ? following && end - position < LIVE_TOLERANCE : following,
    });
  }
}

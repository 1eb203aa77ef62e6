import type { ClockOffset } from "./clock-offset.ts";
import type { LiveEdge, PlaylistEngine } from "./engine.ts";
import { LiveHold } from "./live-hold.ts";
import type { LiveWindow, PlaybackStore } from "./playback-state.ts";

/** Nearer to the live position than this counts as live. Seconds. */
const LIVE_TOLERANCE = 1.5;

export interface LiveTimelineOptions {
  readonly video: HTMLVideoElement;
  readonly store: PlaybackStore;
  readonly clockOffset: ClockOffset;
  /** What plays by playlists now; null where nothing does. */
  readonly engine: () => PlaylistEngine | null;
}

/** The live window of a playlist on the element's timeline: holding the live edge, leaving it for the past, and how late it is. */
export class LiveTimeline {
  readonly hold: LiveHold;
  readonly #options: LiveTimelineOptions;

  constructor(options: LiveTimelineOptions) {
    this.#options = options;
    this.hold = new LiveHold(options.video);
  }

  /** Null where there is none to go to, or none known yet. */
  get edge(): LiveEdge | null {
    return this.#options.engine()?.liveEdge() ?? null;
  }

  /** Seconds from ingest to the screen by wall clock; null until known. */
  get latencyByClock(): number | null {
    const date = this.#options.engine()?.playingDate() ?? null;
    return date === null ? null : this.#options.clockOffset.secondsSince(date, Date.now());
  }

  /** At the first frame. @param now monotonic ms. */
  begin(now: number): void {
    const { edge } = this;
    if (edge?.live && this.#options.engine()?.protocol === "hls.js") this.hold.begin(edge, now);
  }

  /** Nothing is left to play. */
  ranDry(now: number): void {
    if (this.#options.engine()?.protocol === "hls.js") this.hold.ranDry(now);
  }

  /** Returns to the live edge. */
  goLive(): void {
    const { edge } = this;
    this.hold.restart();
    this.#options.store.setState({ following: true });
    if (edge) this.#options.video.currentTime = this.hold.livePosition(edge);
  }

  /** Goes to `time`, seconds, kept within the live window. */
  seekTo(time: number): void {
    const { edge } = this;
    if (!edge) return;
    if (time >= this.hold.livePosition(edge) - LIVE_TOLERANCE) {
      this.goLive();
    } else {
      this.#options.store.setState({ following: false });
      this.#options.video.currentTime = Math.max(time, edge.start + 0.1);
    }
    this.tick(performance.now());
  }

  /** To be called a few times a second. @param now monotonic ms. */
  tick(now: number): void {
    const { store, video } = this.#options;
    const engine = this.#options.engine();
    const edge = engine?.liveEdge() ?? null;
    if (!engine) return;
    if (!edge) {
      store.setState({ latency: this.latencyByClock });
      return;
    }
    const { following, phase } = store.getState();
    this.hold.tick(engine, edge, now, following && phase === "playing", phase === "waiting");
    const position = video.currentTime;
    const end = this.hold.livePosition(edge);
    const window: LiveWindow = { start: edge.start, end: Math.max(edge.start, end), position };
    store.setState({
      window,
      latency: this.latencyByClock ?? edge.edge - position,
      // A pause of a moment does not end being live; catching up closes the rest.
      following: phase === "paused" ? following && end - position < LIVE_TOLERANCE : following,
    });
  }
}

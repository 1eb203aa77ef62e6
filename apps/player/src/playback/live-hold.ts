import { bufferedAfter } from "./buffered.ts";
import type { LiveEdge, PlaybackEngine } from "./engine.ts";
import { LatencyController } from "./latency-controller.ts";

/** Widening or narrowing the target by less than this, seconds, is not worth telling the engine. */
const TELL_ENGINE = 0.1;

/** Carries the latency controller's decisions out on an element: sets its rate, and jumps when it must. */
export class LiveHold {
  readonly #video: HTMLVideoElement;
  readonly #controller = new LatencyController();
  #target: number | null = null;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  /** Distance from the edge that is held, seconds; null before the first playlist. */
  get target(): number | null {
    return this.#target;
  }

  /** Where "live" is on the element's timeline, seconds. */
  livePosition(edge: LiveEdge): number {
    return edge.live ? edge.edge - (this.#target ?? edge.holdBack) : edge.published;
  }

  /** To be called a few times a second. @param now monotonic ms. */
  tick(engine: PlaybackEngine, edge: LiveEdge, now: number, following: boolean): void {
    const video = this.#video;
    if (engine.protocol === "native" || video.paused || video.seeking || !edge.live) {
      if (!edge.live && video.playbackRate !== 1) video.playbackRate = 1;
      this.#target ??= edge.holdBack;
      return;
    }
    const decision = this.#controller.update({
      now,
      latency: edge.edge - video.currentTime,
      holdBack: edge.holdBack,
      partTarget: edge.partTarget,
      bufferAhead: bufferedAfter(video),
      following,
    });
    if (this.#target === null || Math.abs(decision.target - this.#target) > TELL_ENGINE) engine.holdAt(decision.target);
    this.#target = decision.target;
    if (decision.jump) video.currentTime = edge.edge - decision.target;
    if (video.playbackRate !== decision.rate) video.playbackRate = decision.rate;
  }

  /** Playback ran dry: halt until there is a cushion again, so that one stall does not become a row of them. */
  ranDry(now: number): void {
    this.#controller.ranDry(now);
    this.#video.playbackRate = 0;
  }

  resumed(now: number): void {
    this.#controller.resumed(now);
  }

  /** After a seek. */
  restart(): void {
    this.#controller.restart();
  }

  /** For a new engine: nothing is known of its playlist yet. */
  reset(): void {
    this.#controller.restart();
    this.#target = null;
  }
}

import { afterHole, bufferedAfter, bufferedAhead } from "./buffered.ts";
import type { LiveEdge, PlaylistEngine } from "./engine.ts";
import { LadderGuard } from "./ladder-guard.ts";
import { LatencyController } from "./latency-controller.ts";

/** How far into the media after a hole the playhead is put, seconds. */
const INTO_MEDIA = 0.02;
/** Beginning later than wanted by less than this, seconds, is left to catching up. */
const LATE_START = 0.25;
/** How long after the first frame, ms, a late begin may still be skipped: until then it looks like one start. */
const STARTING_MS = 1000;
/** Share of the hold-back that must stay buffered when the begin is skipped. */
const START_CUSHION = 0.7;
/** Widening or narrowing the target by less than this, seconds, is not worth telling the engine. */
const TELL_ENGINE = 0.1;

/**
 * Carries the decisions of the latency controller and the ladder guard out: sets the element's rate, jumps when it must, and has the
 * engine step down.
 */
export class LiveHold {
  readonly #video: HTMLVideoElement;
  readonly #controller = new LatencyController();
  #guard = new LadderGuard();
  #target: number | null = null;
  /** Until when playback is beginning; monotonic ms. */
  #startingUntil = Number.NEGATIVE_INFINITY;

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

  /**
   * To be called at the first frame. Loading took its time, so playback begins later than wanted; skipping that within what is buffered
   * by now, or in the next moment, hardly shows, while catching up would take half a minute. @param now monotonic ms.
   */
  begin(edge: LiveEdge, now: number): void {
    this.#startingUntil = now + STARTING_MS;
    this.#skipLateStart(edge);
  }

  #skipLateStart(edge: LiveEdge): void {
    const late = edge.edge - edge.holdBack - this.#video.currentTime;
    const skip = Math.min(late, bufferedAhead(this.#video) - edge.holdBack * START_CUSHION);
    if (skip > LATE_START) this.#video.currentTime += skip;
  }

  /** To be called a few times a second. @param now monotonic ms. @param waiting whether playback ran dry. */
  tick(engine: PlaylistEngine, edge: LiveEdge, now: number, following: boolean, waiting: boolean): void {
    const video = this.#video;
    if (engine.protocol === "native" || video.paused || video.seeking || !edge.live) {
      if (!edge.live && video.playbackRate !== 1) video.playbackRate = 1;
      this.#target ??= edge.holdBack;
      return;
    }
    if (now < this.#startingUntil && following) this.#skipLateStart(edge);
    const { holdBack, partTarget } = edge;
    const bufferAhead = bufferedAfter(video);
    const latency = edge.edge - video.currentTime;
    const backlog = edge.published - video.currentTime - bufferAhead;
    if (this.#guard.shouldStepDown({ now, backlog, bufferAhead, holdBack, partTarget })) engine.stepDown();
    const decision = this.#controller.update({ now, latency, holdBack, partTarget, bufferAhead, following });
    if (this.#target === null || Math.abs(decision.target - this.#target) > TELL_ENGINE) engine.holdAt(decision.target);
    this.#target = decision.target;
    if (decision.jump) video.currentTime = edge.edge - decision.target;
    else if (waiting && decision.rate > 0) this.#crossHole();
    if (video.playbackRate !== decision.rate) video.playbackRate = decision.rate;
  }

  /** A gap in the broadcast (PKG4) is crossed as soon as there is enough behind it; hls.js alone would look at it for a while first. */
  #crossHole(): void {
    const start = afterHole(this.#video);
    if (start !== null) this.#video.currentTime = start + INTO_MEDIA;
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
    this.#startingUntil = Number.NEGATIVE_INFINITY;
    this.#controller.restart();
    this.#guard = new LadderGuard();
    this.#target = null;
  }
}

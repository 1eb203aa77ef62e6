import type { PlaylistEngine } from "./engine.ts";
import type { PlaybackStore } from "./playback-state.ts";
import type { Preferences } from "./preferences.ts";
import type { RealtimePlayback } from "./realtime/realtime-playback.ts";
import { capForBox, findPinned, pinOf, type Rendition, startingRendition, viewBoxOf } from "./rendition.ts";

const REPIN_AFTER_MS = 30_000;
const REMEMBER_BANDWIDTH_EVERY_MS = 10_000;

export interface QualityChoiceOptions {
  readonly video: HTMLVideoElement;
  readonly preferences: Preferences;
  readonly store: PlaybackStore;
  /** What plays now. */
  readonly engine: () => PlaylistEngine | RealtimePlayback | null;
}

/** Which rendition is fetched: the viewer's pin, else whatever suits the bandwidth and the size of the picture. */
export class QualityChoice implements Disposable {
  readonly #options: QualityChoiceOptions;
  readonly #resize: ResizeObserver | null;
  #repinAt: number | null = null;
  #bandwidthRememberedAt = 0;

  constructor(options: QualityChoiceOptions) {
    this.#options = options;
    this.#resize = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(() => this.#applyCap());
    this.#resize?.observe(options.video);
  }

  /** What to begin with. */
  start(renditions: readonly Rendition[]) {
    const { preferences, video } = this.#options;
    const { quality, bandwidth } = preferences.current;
    const cap = capForBox(renditions, viewBoxOf(video));
    const pinned = quality ? findPinned(renditions, quality) : null;
    const start = pinned ?? startingRendition(renditions, bandwidth, cap);
    return { start: start?.index ?? null, pinned: pinned !== null, cap: cap?.index ?? null };
  }

  /** The ladder became known or changed. */
  offer(renditions: readonly Rendition[]): void {
    const pinned = this.#pinnedOf(renditions);
    const hasVideo = renditions.some((rendition) => rendition.height !== null || rendition.codecs === null);
    this.#options.store.setState({ renditions, pinned, hasVideo });
    this.#applyCap();
  }

  /** Another rendition is on screen. */
  show(index: number): void {
    const { renditions, pinned } = this.#options.store.getState();
    const current = renditions.find((rendition) => rendition.index === index) ?? null;
    const released = this.#options.engine()?.automatic ?? true;
    // A pinned rendition that failed is left for another; once things are calm it is asked for again.
    if (pinned && released) this.#repinAt = performance.now() + REPIN_AFTER_MS;
    this.#options.store.setState({ current, pinned: released ? null : pinned });
  }

  /** Pins a rendition, or leaves the choice to the bandwidth when null. Kept for later sources and visits, if its size is known. */
  set(rendition: Rendition | null): void {
    if (rendition?.rank === undefined) {
      this.#options.preferences.update({ quality: rendition ? pinOf(rendition) : null });
    }
    this.#pin(rendition);
  }

  /** To be called a few times a second. @param now monotonic ms. */
  tick(now: number, playing: boolean): void {
    const { preferences, store } = this.#options;
    const { quality } = preferences.current;
    if (quality && this.#repinAt !== null && now > this.#repinAt) {
      this.#pin(findPinned(store.getState().renditions, quality));
    }
    if (!playing || now - this.#bandwidthRememberedAt < REMEMBER_BANDWIDTH_EVERY_MS) return;
    this.#bandwidthRememberedAt = now;
    const bandwidth = this.#options.engine()?.bandwidth() ?? null;
    if (bandwidth !== null) preferences.update({ bandwidth: Math.round(bandwidth) });
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    this.#resize?.disconnect();
  }

  /** The size of the picture changed. */
  #applyCap(): void {
    const { renditions } = this.#options.store.getState();
    if (renditions.length === 0) return;
    this.#options.engine()?.cap(capForBox(renditions, viewBoxOf(this.#options.video))?.index ?? null);
  }

  #pinnedOf(renditions: readonly Rendition[]): Rendition | null {
    const engine = this.#options.engine();
    if (engine?.protocol === "webrtc") return renditions.find(({ index }) => index === engine.pinned) ?? null;
    const { quality } = this.#options.preferences.current;
    return quality && engine && !engine.automatic ? findPinned(renditions, quality) : null;
  }

  #pin(rendition: Rendition | null): void {
    this.#repinAt = null;
    this.#options.engine()?.pin(rendition?.index ?? null);
    this.#options.store.setState({ pinned: rendition });
  }
}

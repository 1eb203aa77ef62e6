import type { Preferences } from "./preferences.ts";

/** Heard when sound is switched on and nothing better is remembered. */
const FALLBACK_VOLUME = 0.5;

/** The element's volume, kept in step with what this device remembers. */
export class Loudness {
  readonly #video: HTMLVideoElement;
  readonly #preferences: Preferences;
  #byPolicy = false;

  /** @param startMuted begin without sound, whatever is remembered. */
  constructor(video: HTMLVideoElement, preferences: Preferences, startMuted: boolean) {
    this.#video = video;
    this.#preferences = preferences;
    video.volume = preferences.current.volume;
    video.muted = startMuted || preferences.current.muted;
  }

  /** Whether the browser's autoplay policy muted, rather than the viewer. Not remembered. */
  get mutedByPolicy(): boolean {
    return this.#byPolicy;
  }

  /** The autoplay policy muted the element. */
  yieldToPolicy(): void {
    this.#byPolicy = true;
  }

  /** @param volume 0 to 1. Raising it also ends muting. */
  set(volume: number): void {
    const wanted = Math.min(1, Math.max(0, volume));
    this.#byPolicy = false;
    this.#video.volume = wanted;
    this.#video.muted = wanted === 0;
    this.#preferences.update({ muted: wanted === 0, ...(wanted > 0 ? { volume: wanted } : {}) });
  }

  /** Louder or quieter by `step`, from what is heard now. */
  change(step: number): void {
    const heard = this.#video.muted && step > 0 ? 0 : this.#video.volume;
    this.set(Math.round((heard + step) * 100) / 100);
  }

  mute(muted: boolean): void {
    this.#byPolicy = false;
    // Unmuting at volume 0 would change nothing that one hears.
    if (!muted && this.#video.volume === 0) this.#video.volume = this.#preferences.current.volume || FALLBACK_VOLUME;
    this.#video.muted = muted;
    this.#preferences.update({ muted });
  }
}

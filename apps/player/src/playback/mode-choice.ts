import type { PlaybackMode } from "@klieg/protocol";
import type { Modes, RealtimeRefusal } from "./playback-state.ts";
import type { Preferences } from "./preferences.ts";

/** After a refusal, real time is tried again by itself: doubling, from this to the longest. */
const FIRST_PAUSE_MS = 3 * 60_000;
const LONGEST_PAUSE_MS = 15 * 60_000;

/**
 * Real time or low latency: what the viewer wants, else the channel, as long as real time is to be had and was not refused a moment
 * ago. Times are monotonic ms.
 */
export class ModeChoice {
  readonly #preferences: Preferences;
  readonly #supported: boolean;
  #available = false;
  #byChannel: PlaybackMode = "hls";
  #refusal: RealtimeRefusal | null = null;
  #refusals = 0;
  #againAt = 0;
  #told = false;

  /** @param supported whether this browser can receive WebRTC at all. */
  constructor(preferences: Preferences, supported: boolean) {
    this.#preferences = preferences;
    this.#supported = supported;
  }

  /** What the channel says. @param available whether the source is to be had in real time. */
  offer(available: boolean, byChannel: PlaybackMode): void {
    this.#available = available;
    this.#byChannel = byChannel;
  }

  /** Another source: it may be of another format, or come from a server that is well again. A network stays what it is. */
  renew(): void {
    if (this.#refusal === "blocked") return;
    this.#refusal = null;
    this.#refusals = 0;
  }

  /** The viewer's wish; kept for later visits. What went wrong before is tried again. */
  choose(mode: PlaybackMode): void {
    this.#preferences.update({ mode });
    this.#refusal = null;
    this.#refusals = 0;
    this.#told = false;
  }

  /** How to watch now. */
  wanted(now: number): PlaybackMode {
    const { offered, chosen } = this.modes(false);
    if (!offered || chosen !== "realtime") return "hls";
    if (this.#refusal === null) return "realtime";
    return this.#refusal !== "unsupported" && now >= this.#againAt ? "realtime" : "hls";
  }

  /** Real time could not be had. @returns whether the viewer has not been told of it yet. */
  refuse(refusal: RealtimeRefusal, now: number): boolean {
    this.#refusal = refusal;
    this.#againAt = now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#refusals);
    this.#refusals++;
    const first = !this.#told;
    this.#told = true;
    return first;
  }

  /** Real time is on screen. */
  succeed(): void {
    this.#refusal = null;
  }

  /** Real time went on for long enough to count. */
  settle(): void {
    this.#refusals = 0;
  }

  /** For whoever shows it. */
  modes(switching: boolean): Modes {
    const chosen = this.#preferences.current.mode ?? this.#byChannel;
    return {
      offered: this.#available && this.#supported,
      chosen,
      switching,
      refusal: chosen === "realtime" ? this.#refusal : null,
    };
  }
}

import type { EngineOptions, LiveEdge, PlaylistEngine } from "./engine.ts";

/** Safari's element, and what older versions call its wall clock. */
interface ElementWithStartDate extends HTMLVideoElement {
  getStartDate?(): Date;
}

/**
 * The element plays the playlist by itself: for browsers without Media Source Extensions. It chooses renditions and holds its
 * distance from the edge by itself too, so there is no quality menu and no rate to set.
 */
export class NativeEngine implements PlaylistEngine {
  readonly protocol = "native";
  readonly automatic = true;
  readonly #video: ElementWithStartDate;

  constructor(options: EngineOptions) {
    this.#video = options.video;
  }

  load(url: string): void {
    this.#video.src = url;
  }

  liveEdge(): LiveEdge | null {
    const { seekable, duration } = this.#video;
    if (seekable.length === 0) return null;
    const end = seekable.end(seekable.length - 1);
    // Safari's seekable range already ends where the server wants the playhead held.
    return {
      edge: end,
      published: end,
      start: seekable.start(0),
      holdBack: 0,
      partTarget: null,
      targetDuration: 0,
      live: duration === Number.POSITIVE_INFINITY,
    };
  }

  playingDate(): number | null {
    const start = this.#video.getStartDate?.().getTime();
    return start === undefined || Number.isNaN(start) ? null : start + this.#video.currentTime * 1000;
  }

  bandwidth(): number | null {
    return null;
  }

  pin(): void {
    // The element chooses.
  }

  cap(): void {
    // The element chooses.
  }

  stepDown(): void {
    // The element chooses.
  }

  holdAt(): void {
    // The element holds its own distance.
  }

  suspend(): void {
    // The element stops fetching by itself when paused.
  }

  resume(): void {
    // As above.
  }

  recoverMedia(): void {
    this.#video.load();
  }

  swapAudioCodec(): void {
    this.#video.load();
  }

  destroy(): void {
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}

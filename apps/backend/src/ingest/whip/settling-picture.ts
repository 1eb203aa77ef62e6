import type { Clock } from "@klieg/base";
import type { AccessUnit, MediaSink, MediaWarning, Track, VideoTrack } from "@klieg/media";

export interface SettlingPictureOptions {
  readonly sink: MediaSink;
  readonly clock: Clock;
  /** Whether the sender has video: where it has none there is nothing to wait for. */
  readonly hasVideo: boolean;
  /** A keyframe is wanted, to begin with. */
  readonly requestKeyframe: () => void;
}

/** A size that has held for so long is the sender's, ms. */
const HELD_MS = 1500;
/** After so long it is taken as it is, ms. */
const PATIENCE_MS = 6000;
/** So long is video waited for where there is sound, ms. */
const VIDEO_WAIT_MS = 3000;

/**
 * Holds a WebRTC sender's media back until its picture has found its size. A browser begins small, and grows within
 * seconds as it learns what its network carries; each size would be a ladder and a discontinuity of its own, before
 * anybody can watch. WebRTC viewers do not go through here.
 *
 * What is held back is dropped: it would only be old.
 */
export class SettlingPicture implements MediaSink {
  readonly #options: SettlingPictureOptions;
  readonly #tracks = new Map<Track["kind"], Track>();
  #settled: boolean;
  #since: number | undefined;
  #sizeSince = 0;
  #size: string | undefined;
  #asked = false;

  constructor(options: SettlingPictureOptions) {
    this.#options = options;
    this.#settled = !options.hasVideo;
  }

  get settled(): boolean {
    return this.#settled;
  }

  onTrack(track: Track): void {
    if (this.#settled) this.#options.sink.onTrack(track);
    else this.#tracks.set(track.kind, track);
  }

  onAccessUnit(unit: AccessUnit): void {
    if (!this.#settled && !this.#settle(unit)) return;
    this.#options.sink.onAccessUnit(unit);
  }

  onWarning(warning: MediaWarning): void {
    this.#options.sink.onWarning?.(warning);
  }

  /** @returns whether `unit` is what to begin with. */
  #settle(unit: AccessUnit): boolean {
    const { clock } = this.#options;
    const now = clock.now();
    this.#since ??= now;
    if (unit.track.kind === "audio") {
      if (this.#size !== undefined || now - this.#since < VIDEO_WAIT_MS) return false;
    } else {
      const { width, height } = unit.track as VideoTrack;
      const size = `${width}x${height}`;
      if (size !== this.#size) {
        this.#size = size;
        this.#sizeSince = now;
      }
      const ready = now - this.#sizeSince >= HELD_MS || now - this.#since >= PATIENCE_MS;
      if (!ready) return false;
      if (!unit.keyframe) {
        if (!this.#asked) this.#options.requestKeyframe();
        this.#asked = true;
        return false;
      }
    }
    this.#settled = true;
    for (const track of this.#tracks.values()) this.#options.sink.onTrack(track);
    this.#tracks.clear();
    return true;
  }
}

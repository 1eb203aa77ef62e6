import { type AccessUnit, TICKS_PER_SECOND } from "@klieg/media";

/** Media that may wait for one input of FFmpeg, beyond what it was given to begin with. */
const QUEUE_TICKS = 3 * TICKS_PER_SECOND;
const QUEUE_BYTES = 32 * 1024 * 1024;

/**
 * What waits for one input of FFmpeg. Each input has its own: FFmpeg reads from one while it lets another fill up, and
 * would wait for ever for what waits behind that.
 */
export class InputLane {
  /** File descriptor that FFmpeg reads. */
  readonly fd: number;
  /** Whether it carries the video, alone or with the sound. */
  readonly hasVideo: boolean;
  #queue: AccessUnit[] = [];
  #head = 0;
  #bytes = 0;
  #ticks = QUEUE_TICKS;

  constructor(fd: number, hasVideo: boolean) {
    this.fd = fd;
    this.hasVideo = hasVideo;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#head === this.#queue.length;
  }

  push(unit: AccessUnit): void {
    this.#queue.push(unit);
    this.#bytes += unit.data.byteLength;
  }

  /** The oldest unit, which leaves the lane. */
  take(): AccessUnit | undefined {
    const unit = this.#queue[this.#head];
    if (unit === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= unit.data.byteLength;
    if (this.empty) this.clear();
    else if (this.#head >= 256) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return unit;
  }

  clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#ticks = QUEUE_TICKS;
  }

  /** Until it has been empty once, so much more may wait. @param ticks of 90 kHz. */
  allow(ticks: number): void {
    this.#ticks += ticks;
  }

  isOverfull(newest: AccessUnit): boolean {
    const oldest = this.#queue[this.#head];
    if (oldest === undefined) return false;
    return this.#bytes > QUEUE_BYTES || newest.dts - oldest.dts > this.#ticks;
  }

  /**
   * Drops video up to its newest keyframe, or, where none waits, all of it; sound beside video is kept, sound alone is
   * dropped.
   * @returns how many units were dropped, and whether a keyframe has to come before there is any use for video.
   */
  drop(): { readonly dropped: number; readonly needsKeyframe: boolean } {
    const waiting = this.#queue.slice(this.#head);
    const newest = waiting.findLastIndex((unit) => unit.track.kind === "video" && unit.keyframe);
    // Where the newest keyframe is the oldest thing that waits, its GOP is what there is too much of.
    const resumes = newest > 0 ? newest : waiting.length;
    const kept = waiting.filter((unit, i) => i >= resumes || (this.hasVideo && unit.track.kind === "audio"));
    this.clear();
    for (const unit of kept) this.push(unit);
    return { dropped: waiting.length - kept.length, needsKeyframe: this.hasVideo && resumes === waiting.length };
  }
}

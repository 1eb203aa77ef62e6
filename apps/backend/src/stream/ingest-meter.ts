import { type AccessUnit, TICKS_PER_SECOND, type Track } from "@klieg/media";

const BUCKET_MS = 250;
const BUCKETS = 20;
/** Span of the sliding figures, ms. */
export const METER_WINDOW_MS = BUCKET_MS * BUCKETS;

interface Run {
  readonly track: Track;
  frames: number;
  readonly firstDts: number;
  lastDts: number;
  lastPts: number;
  /** A frame has come after one that is shown later. */
  reorders: boolean;
}

/** What a contribution brings, measured over the last five seconds without keeping a record of each frame. */
export class IngestMeter {
  bytes = 0;
  videoFrames = 0;
  audioFrames = 0;
  keyframes = 0;
  readonly #bytesIn = new Float64Array(BUCKETS);
  readonly #framesIn = new Float64Array(BUCKETS);
  #bucket = Number.NaN;
  #startedAt = Number.NaN;
  #lastKeyframeDts = Number.NaN;
  #keyframeInterval = Number.NaN;
  /** Frames of the present run of one track without a jump, and when the first and the last of them are due. */
  #run: Run | undefined;

  /** @param now monotonic, ms. */
  add(unit: AccessUnit, now: number): void {
    const bucket = this.#turnTo(now);
    this.bytes += unit.data.byteLength;
    this.#bytesIn[bucket] = (this.#bytesIn[bucket] ?? 0) + unit.data.byteLength;
    if (unit.track.kind === "audio") {
      this.audioFrames += 1;
      return;
    }
    this.videoFrames += 1;
    this.#framesIn[bucket] = (this.#framesIn[bucket] ?? 0) + 1;
    if (unit.discontinuity) this.#lastKeyframeDts = Number.NaN;
    if (unit.discontinuity || this.#run?.track !== unit.track) {
      this.#run = {
        track: unit.track,
        frames: 0,
        firstDts: unit.dts,
        lastDts: unit.dts,
        lastPts: unit.pts,
        reorders: false,
      };
    }
    const run = this.#run;
    run.frames += 1;
    run.lastDts = unit.dts;
    if (unit.pts < run.lastPts) run.reorders = true;
    run.lastPts = unit.pts;
    if (unit.keyframe) {
      this.keyframes += 1;
      if (!Number.isNaN(this.#lastKeyframeDts)) {
        this.#keyframeInterval = (unit.dts - this.#lastKeyframeDts) / 90;
      }
      this.#lastKeyframeDts = unit.dts;
    }
  }

  /** bits/s over the window. */
  bitrate(now: number): number {
    this.#turnTo(now);
    return (sum(this.#bytesIn) * 8000) / this.#span(now);
  }

  /** Video frames a second over the window. */
  frameRate(now: number): number {
    this.#turnTo(now);
    return (sum(this.#framesIn) * 1000) / this.#span(now);
  }

  /**
   * Video frames a second by the media's own time, whenever they came; undefined before the second frame of a track or
   * after a jump.
   */
  get mediaFrameRate(): number | undefined {
    const run = this.#run;
    if (run === undefined || run.lastDts <= run.firstDts) return undefined;
    return ((run.frames - 1) * TICKS_PER_SECOND) / (run.lastDts - run.firstDts);
  }

  /** Whether frames have come in another order than that in which they are shown: the encoder makes B-frames. */
  get reordersFrames(): boolean {
    return this.#run?.reorders ?? false;
  }

  /** Time between the last two keyframes, ms; undefined before the second one. */
  get keyframeIntervalMs(): number | undefined {
    return Number.isNaN(this.#keyframeInterval) ? undefined : this.#keyframeInterval;
  }

  /** The time that has run since the last keyframe on the stream's timeline, ms. @param dts 90 kHz ticks. */
  sinceKeyframeMs(dts: number): number {
    return Number.isNaN(this.#lastKeyframeDts) ? 0 : (dts - this.#lastKeyframeDts) / 90;
  }

  #span(now: number): number {
    return Math.max(BUCKET_MS, Math.min(METER_WINDOW_MS - BUCKET_MS / 2, now - this.#startedAt));
  }

  #turnTo(now: number): number {
    const absolute = Math.floor(now / BUCKET_MS);
    if (Number.isNaN(this.#bucket)) {
      this.#bucket = absolute;
      this.#startedAt = now;
    }
    const steps = Math.min(BUCKETS, absolute - this.#bucket);
    for (let step = 1; step <= steps; step += 1) {
      const index = (this.#bucket + step) % BUCKETS;
      this.#bytesIn[index] = 0;
      this.#framesIn[index] = 0;
    }
    if (steps > 0) this.#bucket = absolute;
    return this.#bucket % BUCKETS;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

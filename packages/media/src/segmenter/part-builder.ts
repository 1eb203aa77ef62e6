import { type ChunkSample, chunk } from "../fmp4/chunk.ts";
import type { PlacedSample, SampleTimeline } from "./sample-timeline.ts";

/** A CMAF chunk ready to be served. */
export interface Part {
  /** Headers, then the samples' own bytes. */
  readonly buffers: readonly Uint8Array[];
  readonly byteLength: number;
  /** What the playlist says, 90 kHz ticks; never more than the part target. */
  readonly durationTicks: number;
  /** How long its samples last, 90 kHz ticks: more than `durationTicks` only where one picture outlasts the part target. */
  readonly mediaTicks: number;
  /** Whether it contains an independent frame. */
  readonly independent: boolean;
  /** Presentation time of the first sample in decode order, 90 kHz ticks. */
  readonly startTicks: number;
  readonly sampleCount: number;
}

/** RFC 8216bis §4.4.4.9: the least share of the part target that a part in mid-segment may last. */
const LEAST_SHARE = 0.85;
/** A frame shorter than this share of the one before it is not reckoned with. */
const SHORTEST_NEXT = 0.75;

/**
 * Gathers samples into parts: as long as possible, never longer than the part target by a tick. A part is closed as
 * soon as no usual further frame fits, before a keyframe once it is long enough, and at a hole: the samples of a chunk
 * follow on one another.
 */
export class PartBuilder {
  readonly #targetTicks: number;
  readonly #onPart: (part: Part) => void;
  #timeline: SampleTimeline | undefined;
  #samples: ChunkSample[] = [];
  #start = 0;
  #end = 0;
  #startTicks = 0;
  #byteLength = 0;
  #independent = false;
  #sequence = 1;

  /** @param targetTicks part target, 90 kHz ticks. */
  constructor(targetTicks: number, onPart: (part: Part) => void) {
    this.#targetTicks = targetTicks;
    this.#onPart = onPart;
  }

  /** Duration of what is gathered, as the playlist will say it, 90 kHz ticks. */
  get gatheredTicks(): number {
    return this.#samples.length === 0 ? 0 : Math.min(this.#ticks(this.#start, this.#end), this.#targetTicks);
  }

  /**
   * @param duration in the timeline's timescale. A sample that outlasts the part target has a part of its own.
   * @param timeline that the sample was placed on. Where it is another than before, `close` first.
   */
  add(sample: PlacedSample, duration: number, timeline: SampleTimeline): void {
    const { unit, start } = sample;
    this.#timeline = timeline;
    const video = unit.track.kind === "video";
    const keyframe = !video || unit.keyframe;
    const lasts = Math.max(1, duration);
    if (
      this.#samples.length > 0 &&
      (start !== this.#end ||
        this.#ticks(this.#start, start + lasts) > this.#targetTicks ||
        (video && keyframe && this.#isLongEnough()))
    ) {
      this.close();
    }
    if (this.#samples.length === 0) {
      this.#start = start;
      this.#startTicks = sample.ticks;
    }
    this.#samples.push({ duration: lasts, compositionOffset: video ? unit.pts - start : 0, keyframe, data: unit.data });
    this.#byteLength += unit.data.byteLength;
    this.#independent ||= keyframe;
    this.#end = start + lasts;
    if (this.#isLongEnough() && this.#ticks(this.#start, this.#end + lasts * SHORTEST_NEXT) > this.#targetTicks) {
      this.close();
    }
  }

  /** Hands on what is gathered, if anything is. */
  close(): void {
    const samples = this.#samples;
    if (samples.length === 0) return;
    const buffers = chunk({ sequence: this.#sequence, baseDecodeTime: this.#start, samples });
    this.#sequence += 1;
    const part: Part = {
      buffers,
      byteLength: this.#byteLength + (buffers[0] as Uint8Array).byteLength,
      durationTicks: this.gatheredTicks,
      mediaTicks: this.#ticks(this.#start, this.#end),
      independent: this.#independent,
      startTicks: this.#startTicks,
      sampleCount: samples.length,
    };
    this.#samples = [];
    this.#byteLength = 0;
    this.#independent = false;
    this.#onPart(part);
  }

  #isLongEnough(): boolean {
    return this.gatheredTicks >= this.#targetTicks * LEAST_SHARE;
  }

  #ticks(from: number, to: number): number {
    const timeline = this.#timeline as SampleTimeline;
    return timeline.toTicks(to) - timeline.toTicks(from);
  }
}

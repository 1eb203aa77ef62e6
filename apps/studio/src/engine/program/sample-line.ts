/** What is to be done so that samples follow on one another without a hole. */
export interface SamplePlan {
  /** Samples (of every channel) of silence that go before the block. */
  readonly silence: number;
  /** Samples at the block's front that are left out. */
  readonly skip: number;
  /** The block has nothing to do with what was before: the line begins anew with it. */
  readonly anew: boolean;
}

/** A deviation of the timestamps from the count of samples that is jitter, ms. */
const JITTER_MS = 10;
/** From here on it is a hole or an overlap, ms. */
const HOLE_MS = 80;
/** A hole that is filled with silence, at most, ms. */
const LONGEST_HOLE_MS = 1000;
/** Deviations are averaged over about so many blocks. */
const AVERAGE_BLOCKS = 50;

/**
 * Counts the samples that go into an encoder, which knows nothing of time, and holds their count to the timestamps that
 * they came with: holes are filled, overlaps cut, and where the sound card's clock drifts from the page's clock a single
 * sample is put in or left out now and then, which nobody hears.
 */
export class SampleLine {
  readonly #sampleRate: number;
  #startUs: number | undefined;
  #count = 0;
  #average = 0;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** µs of the first sample of all; undefined before it. */
  get startUs(): number | undefined {
    return this.#startUs;
  }

  /** @param samples of one channel in the block. */
  place(timestampUs: number, samples: number): SamplePlan {
    const start = this.#startUs;
    if (start === undefined) return this.#begin(timestampUs, samples);
    const expectedUs = start + (this.#count * 1e6) / this.#sampleRate;
    const deviationMs = (timestampUs - expectedUs) / 1000;
    if (Math.abs(deviationMs) > LONGEST_HOLE_MS) return this.#begin(timestampUs, samples);
    let silence = 0;
    let skip = 0;
    if (deviationMs > HOLE_MS) {
      silence = Math.round((deviationMs * this.#sampleRate) / 1000);
      this.#average = 0;
    } else if (deviationMs < -HOLE_MS) {
      skip = Math.min(samples, Math.round((-deviationMs * this.#sampleRate) / 1000));
      this.#average = 0;
    } else {
      this.#average += (deviationMs - this.#average) / AVERAGE_BLOCKS;
      if (this.#average > JITTER_MS) silence = 1;
      else if (this.#average < -JITTER_MS) skip = Math.min(samples, 1);
    }
    this.#count += silence + samples - skip;
    return { silence, skip, anew: false };
  }

  /** What follows has nothing to do with what was before. */
  reset(): void {
    this.#startUs = undefined;
  }

  #begin(timestampUs: number, samples: number): SamplePlan {
    const anew = this.#startUs !== undefined;
    this.#startUs = timestampUs;
    this.#count = samples;
    this.#average = 0;
    return { silence: 0, skip: 0, anew };
  }
}

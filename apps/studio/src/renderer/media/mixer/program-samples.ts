import { INTERPOLATION_REACH, interpolate } from "./dsp/sample-interpolator.ts";
import { SlidingMaximum } from "./dsp/sliding-maximum.ts";
import { SAMPLE_RATE } from "./dsp/sound-processor.ts";

/** Samples of one channel in a block that goes out: 20 ms. */
export const BLOCK = 960;
/** µs. */
const BLOCK_TIME = 20_000;
const MICROSECONDS = 1_000_000 / SAMPLE_RATE;
/** From this on, silence or a cut makes up for what is missing or too much; below it, the rate. Samples: 100 ms. */
const JUMP = 4800;
/** Off by less than this, nothing is done, so that what goes out is what came in. Samples: 5 ms. */
const TOLERATED = 240;
/** The rate changes by no more than this: 0.2 %, less than is heard. */
const LARGEST_CHANGE = 0.002;
/** In how many samples it would make up for what it is off by: 10 s. */
const CORRECTION = 10 * SAMPLE_RATE;
/** Of how many blocks the one that came earliest tells the time: 1 s. Others were late because a thread was. */
const CLOCK_WINDOW = 50;
/** Silence before the first sample: interpolation reaches back, and the beginning is moved by up to a block. */
const LEAD = INTERPOLATION_REACH + BLOCK;
/** How far behind the clock silence is filled in, µs: what was mixed may still be on its way. */
const FILL_DISTANCE = 100_000;

/**
 * Puts what an audio context has mixed on the program's clock: blocks of 20 ms, each exactly after the one before. The context
 * counts samples by the clock of a sound device, which is not that of the program: the rate is changed a little to stay
 * together. Where nothing came for a time, there is silence.
 */
export class ProgramSamples {
  readonly #emit: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void;
  /** What came and has not gone out, interleaved; it moves to the front when the end is reached. */
  readonly #input = new Float32Array(2 * SAMPLE_RATE);
  /** In samples of one channel: where the next that goes out is taken from, and where what came ends. */
  #position = 0;
  #end = 0;
  /** The context's frame at the beginning of {@link #input}. */
  #firstFrame = 0;
  #offsets = new SlidingMaximum(CLOCK_WINDOW);
  /** µs on the program clock of the context's frame 0. */
  #offset = 0;
  #hasOffset = false;
  #begin: number | undefined;
  #sentBlocks = 0;

  /** @param emit takes each block; its timestamp is that of its first sample, µs on the program clock. */
  constructor(emit: (samples: Int16Array<ArrayBuffer>, timestamp: number) => void) {
    this.#emit = emit;
  }

  /**
   * @param block interleaved stereo.
   * @param frame of the context, its first.
   * @param renderedAt when the context had mixed it, µs on the program clock; it may be late by some ms.
   */
  push(block: Float32Array, frame: number, renderedAt: number): void {
    const frames = block.length / 2;
    const isNew = !this.#hasOffset || frame !== this.#firstFrame + this.#end;
    if (isNew) this.#restart(frame);
    this.#offset = -this.#offsets.push((frame + frames) * MICROSECONDS - renderedAt);
    if (isNew) this.#align();
    this.#append(block);
    this.#begin ??= Math.round(this.#timeOf(this.#position));
    this.#send();
  }

  /** To be called now and then while the context mixes nothing: fills the time up to now with silence. @param now µs. */
  fill(now: number): void {
    this.#begin ??= Math.round(now - FILL_DISTANCE);
    if (this.#nextTimestamp + 2 * BLOCK_TIME > now - FILL_DISTANCE) return;
    this.#hasOffset = false;
    while (this.#nextTimestamp + BLOCK_TIME <= now - FILL_DISTANCE) this.#sendSilence();
  }

  /** µs of the next block. */
  get #nextTimestamp(): number {
    return (this.#begin ?? 0) + this.#sentBlocks * BLOCK_TIME;
  }

  /** µs on the program clock of a place in the input. */
  #timeOf(position: number): number {
    return this.#offset + (this.#firstFrame + position) * MICROSECONDS;
  }

  /** The context has begun anew or lost something: its clock has to be found again. */
  #restart(frame: number): void {
    this.#offsets = new SlidingMaximum(CLOCK_WINDOW);
    this.#hasOffset = true;
    this.#input.fill(0, 0, 2 * LEAD);
    this.#firstFrame = frame - LEAD;
    this.#position = LEAD;
    this.#end = LEAD;
  }

  /** Where silence came before, nothing is lost by beginning at the right time at once. */
  #align(): void {
    if (this.#begin === undefined) return;
    while (this.#lateness <= -BLOCK) this.#sendSilence();
    this.#position += Math.round(this.#lateness);
  }

  /** Samples by which what goes out next is too old; negative where it is too early for it. */
  get #lateness(): number {
    return (this.#nextTimestamp - this.#timeOf(this.#position)) / MICROSECONDS;
  }

  #append(block: Float32Array): void {
    if (2 * this.#end + block.length > this.#input.length) {
      const from = Math.max(0, Math.min(this.#end, Math.floor(this.#position)) - INTERPOLATION_REACH);
      this.#input.copyWithin(0, 2 * from, 2 * this.#end);
      this.#firstFrame += from;
      this.#position -= from;
      this.#end -= from;
    }
    this.#input.set(block, 2 * this.#end);
    this.#end += block.length / 2;
  }

  #send(): void {
    for (;;) {
      const late = this.#lateness;
      if (late <= -JUMP) {
        for (let silent = BLOCK; silent <= -late; silent += BLOCK) this.#sendSilence();
        continue;
      }
      if (late >= JUMP) this.#position += Math.round(late);
      const rate = late >= JUMP || Math.abs(late) < TOLERATED ? 1 : 1 + bounded(late / CORRECTION, LARGEST_CHANGE);
      if (this.#position + BLOCK * rate + INTERPOLATION_REACH > this.#end) return;
      const samples = new Int16Array(2 * BLOCK);
      for (let i = 0; i < BLOCK; i += 1) {
        const position = this.#position + i * rate;
        samples[2 * i] = sampleOf(interpolate(this.#input, 0, position));
        samples[2 * i + 1] = sampleOf(interpolate(this.#input, 1, position));
      }
      this.#position += BLOCK * rate;
      this.#sendBlock(samples);
    }
  }

  #sendSilence(): void {
    this.#sendBlock(new Int16Array(2 * BLOCK));
  }

  #sendBlock(samples: Int16Array<ArrayBuffer>): void {
    const timestamp = this.#nextTimestamp;
    this.#sentBlocks += 1;
    this.#emit(samples, timestamp);
  }
}

function bounded(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}

function sampleOf(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));
}

/** Hz of everything that is mixed: Opus's own. */
export const SAMPLE_RATE = 48_000;

const MS = SAMPLE_RATE / 1000;
/** What may wait at most. */
const CAPACITY = 2 * SAMPLE_RATE;
/** How long sound waits for what comes later than usual, at first and at most. */
const FIRST_DELAY = 50 * MS;
const MAX_DELAY = 300 * MS;
const DELAY_STEP = 20 * MS;
/** So much more than the delay waiting all the time for so long is too much. */
const SURPLUS = 80 * MS;
const SURPLUS_WATCHED = 5 * SAMPLE_RATE;
/** Ends of what is cut out or left out are faded over so many samples: no clicks. */
const FADE = 2 * MS;

/**
 * The jitter buffer of one voice: stereo samples in by the sender's timestamps, out by the program's clock. What comes too
 * late makes the delay longer; what is missing is silence.
 */
export class VoiceBuffer {
  readonly #left = new Float32Array(CAPACITY);
  readonly #right = new Float32Array(CAPACITY);
  /** Program samples = sender's samples + offset; undefined before the first. */
  #offset: number | undefined;
  #delay = FIRST_DELAY;
  /** Of the program: what was read up to here. */
  #readTo = 0;
  /** What was written up to here. */
  #writtenTo = 0;
  /** Where what was written last ends. */
  #lastEnd = 0;
  #leastAhead = Number.POSITIVE_INFINITY;
  #watchedSince = 0;
  #restarts = 0;

  /** Times that the delay was set anew. */
  get restarts(): number {
    return this.#restarts;
  }

  /** How long sound waits now, ms. */
  get delayMs(): number {
    return this.#delay / MS;
  }

  /**
   * Takes decoded samples in.
   * @param at the sender's time of the first one, in samples.
   * @param right the same as `left` where there is one channel.
   */
  write(at: number, left: Float32Array, right: Float32Array): void {
    const count = left.length;
    if (count === 0 || count > CAPACITY / 4) return;
    let to = this.#offset === undefined ? Number.NaN : at + this.#offset;
    if (Number.isNaN(to)) {
      to = this.#anchor(at);
    } else if (to < this.#readTo) {
      // Late: the next ones will be too, unless they are given more time.
      this.#delay = Math.min(MAX_DELAY, this.#delay + DELAY_STEP);
      to = this.#anchor(at);
    } else if (to + count > this.#readTo + CAPACITY) {
      to = this.#anchor(at);
    }
    this.#leastAhead = Math.min(this.#leastAhead, to - this.#readTo);
    const joins = to === this.#lastEnd;
    for (let i = 0; i < count; i += 1) {
      const gain = joins || i >= FADE ? 1 : i / FADE;
      const slot = (to + i) % CAPACITY;
      this.#left[slot] = (left[i] as number) * gain;
      this.#right[slot] = (right[i] as number) * gain;
    }
    this.#lastEnd = to + count;
    this.#writtenTo = Math.max(this.#writtenTo, this.#lastEnd);
  }

  /** Adds the next samples to `left` and `right`. @returns whether there was anything to add. */
  mixInto(left: Float32Array, right: Float32Array): boolean {
    const count = left.length;
    const available = Math.min(count, this.#writtenTo - this.#readTo);
    for (let i = 0; i < available; i += 1) {
      const slot = (this.#readTo + i) % CAPACITY;
      left[i] = (left[i] as number) + (this.#left[slot] as number);
      right[i] = (right[i] as number) + (this.#right[slot] as number);
      this.#left[slot] = 0;
      this.#right[slot] = 0;
    }
    this.#readTo += count;
    this.#watch();
    return available > 0;
  }

  /** From here on the sender's samples go where they wait as long as they should. */
  #anchor(at: number): number {
    if (this.#offset !== undefined) this.#restarts += 1;
    // What waits already is not written over.
    const to = Math.max(this.#readTo + this.#delay, Math.min(this.#writtenTo, this.#readTo + MAX_DELAY));
    this.#offset = to - at;
    this.#leastAhead = Number.POSITIVE_INFINITY;
    this.#watchedSince = this.#readTo;
    return to;
  }

  /** Waits less again once there is no need, and takes out what has piled up because the sender's clock runs fast. */
  #watch(): void {
    if (this.#readTo - this.#watchedSince < SURPLUS_WATCHED) return;
    if (this.#leastAhead > FIRST_DELAY && this.#delay > FIRST_DELAY) this.#delay -= DELAY_STEP;
    const surplus = this.#leastAhead - this.#delay;
    this.#watchedSince = this.#readTo;
    this.#leastAhead = Number.POSITIVE_INFINITY;
    if (this.#offset === undefined || surplus <= SURPLUS || surplus === Number.POSITIVE_INFINITY) return;
    this.#offset -= Math.floor(surplus);
    this.#restarts += 1;
  }
}

const WRAP = 2 ** 32;
/** How near the wrap both timestamps must be to count as a step over it, ms. */
const NEAR_WRAP = 10 * 60 * 1000;

/**
 * Turns 32-bit message timestamps into ms that go on over the wrap (after 49.7 days). Only a step over the wrap is
 * mended; jumps, forwards or backwards, stay as the encoder made them. One clock serves all of a stream's tracks.
 */
export class MessageClock {
  #last = 0;
  #epoch = 0;

  /** @param timestamp ms, unsigned 32 bits */
  unwrap(timestamp: number): number {
    const last = this.#last;
    this.#last = timestamp;
    if (last >= WRAP - NEAR_WRAP && timestamp < NEAR_WRAP) this.#epoch += WRAP;
    else if (timestamp >= WRAP - NEAR_WRAP && last < NEAR_WRAP && this.#epoch > 0) this.#epoch -= WRAP;
    return this.#epoch + timestamp;
  }
}

/** Longest section of program specific information, ISO/IEC 13818-1 2.4.4: PAT and PMT stop at 1024, private ones at 4096. */
const MAX_SECTION_SIZE = 4096;

const TABLE_ID_STUFFING = 0xff;

/** Puts the sections of one PID together again from packet payloads. Holds at most one section. */
export class SectionAssembler {
  readonly #section = new Uint8Array(MAX_SECTION_SIZE);
  /** −1 between sections. */
  #length = -1;

  /**
   * Takes the payload `data[start, end)` of the PID's next packet.
   * @param onSection called with each section that is complete, its CRC unchecked; a view, good during the call.
   */
  push(
    data: Uint8Array,
    start: number,
    end: number,
    payloadUnitStart: boolean,
    onSection: (section: Uint8Array) => void,
  ): void {
    if (!payloadUnitStart) {
      if (this.#length >= 0) this.#take(data, start, end, onSection);
      return;
    }
    if (start >= end) return;
    let at = start + 1 + (data[start] as number);
    if (at > end) {
      this.reset();
      return;
    }
    if (this.#length >= 0) this.#take(data, start + 1, at, onSection);
    while (at < end && data[at] !== TABLE_ID_STUFFING) {
      this.#length = 0;
      at = this.#take(data, at, end, onSection);
    }
  }

  /** Forgets the section under way: packets were lost. */
  reset(): void {
    this.#length = -1;
  }

  /** Appends to the section under way; hands it on when it is complete. Answers where it stopped reading. */
  #take(data: Uint8Array, start: number, end: number, onSection: (section: Uint8Array) => void): number {
    let at = start;
    while (at < end && this.#length < 3) this.#section[this.#length++] = data[at++] as number;
    if (this.#length < 3) return at;
    const total = 3 + ((((this.#section[1] as number) & 0x0f) << 8) | (this.#section[2] as number));
    if (total > MAX_SECTION_SIZE) {
      this.reset();
      return end;
    }
    const stop = Math.min(end, at + total - this.#length);
    while (at < stop) this.#section[this.#length++] = data[at++] as number;
    if (this.#length === total) {
      this.reset();
      onSection(this.#section.subarray(0, total));
    }
    return at;
  }
}

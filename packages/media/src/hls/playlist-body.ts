/**
 * The lines of the sealed segments behind the live edge, as bytes: appended at the end, removed from the front,
 * never rendered again. Positions are absolute: they count every byte ever appended.
 */
export class PlaylistBody {
  #buffer = Buffer.allocUnsafe(16_384);
  /** Absolute position of the first byte of `#buffer`. */
  #origin = 0;
  #start = 0;
  #end = 0;

  /** Absolute position past the last byte. */
  get end(): number {
    return this.#end;
  }

  append(text: string): void {
    const size = Buffer.byteLength(text);
    this.#reserve(size);
    this.#buffer.write(text, this.#end - this.#origin, size);
    this.#end += size;
  }

  /** Forgets everything before `position`. */
  dropBefore(position: number): void {
    this.#start = Math.min(Math.max(position, this.#start), this.#end);
  }

  /** What stands from `position` on; valid until the next `append`. */
  from(position: number): Buffer {
    return this.#buffer.subarray(Math.max(position, this.#start) - this.#origin, this.#end - this.#origin);
  }

  #reserve(size: number): void {
    if (this.#end - this.#origin + size <= this.#buffer.length) return;
    const live = this.#buffer.subarray(this.#start - this.#origin, this.#end - this.#origin);
    // Twice what is live, so that copying costs a constant share of appending.
    const next = Buffer.allocUnsafe(Math.max(16_384, (live.length + size) * 2));
    live.copy(next);
    this.#buffer = next;
    this.#origin = this.#start;
  }
}

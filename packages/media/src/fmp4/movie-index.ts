import { box, fullBox, u32 } from "./box-writer.ts";

/** Where fragments of one track begin (14496-12 § 8.8.9): with it at its end a file can be sought in. */
export class MovieIndex {
  readonly #trackId: number;
  readonly #entries: { readonly time: number; readonly offset: number }[] = [];

  constructor(trackId: number) {
    this.#trackId = trackId;
  }

  /**
   * A fragment that begins with a keyframe.
   * @param time decode time of that, in the track's timescale.
   * @param offset of its `moof` in the file, bytes.
   */
  add(time: number, offset: number): void {
    this.#entries.push({ time, offset });
  }

  /** The `mfra` box, for the very end of the file. */
  bytes(): Uint8Array {
    // Version 1: 64 bits of time and offset; traf, trun and sample numbers in one byte each.
    const entries = new Uint8Array(this.#entries.length * 19);
    const view = new DataView(entries.buffer);
    for (const [i, { time, offset }] of this.#entries.entries()) {
      view.setBigUint64(i * 19, BigInt(time));
      view.setBigUint64(i * 19 + 8, BigInt(offset));
      entries.set([1, 1, 1], i * 19 + 16);
    }
    const tfra = fullBox("tfra", 1, 0, u32(this.#trackId, 0, this.#entries.length), entries);
    const size = 8 + tfra.byteLength + 16;
    return box("mfra", tfra, fullBox("mfro", 0, 0, u32(size)));
  }
}

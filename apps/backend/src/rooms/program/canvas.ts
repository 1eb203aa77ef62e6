import type { Size, Tile } from "./program-layout.ts";

/** Y, U and V of what stands behind the pictures: a dark grey-blue, in limited range. */
const BACKGROUND = { y: 30, u: 134, v: 124 } as const;

/** Bytes of a picture in 8-bit 4:2:0 planes. */
export function pictureBytes({ width, height }: Size): number {
  return (width * height * 3) / 2;
}

/** A picture that others are drawn onto: 8-bit 4:2:0 planes (I420). */
export class Canvas {
  readonly size: Size;
  /** Y, U, V, one after the other. */
  readonly bytes: Buffer;
  readonly #planes: readonly { readonly at: number; readonly stride: number; readonly shift: 0 | 1 }[];

  /** @param size even. */
  constructor(size: Size) {
    this.size = size;
    this.bytes = Buffer.allocUnsafe(pictureBytes(size));
    const { width, height } = size;
    const luma = width * height;
    this.#planes = [
      { at: 0, stride: width, shift: 0 },
      { at: luma, stride: width / 2, shift: 1 },
      { at: luma * 1.25, stride: width / 2, shift: 1 },
    ];
    this.clear();
  }

  /** Only the background is left. */
  clear(): void {
    const luma = this.size.width * this.size.height;
    this.bytes.fill(BACKGROUND.y, 0, luma);
    this.bytes.fill(BACKGROUND.u, luma, luma * 1.25);
    this.bytes.fill(BACKGROUND.v, luma * 1.25);
  }

  /** @param picture I420 of the tile's size. */
  draw(picture: Uint8Array, { x, y, width, height }: Omit<Tile, "producerId">): void {
    let from = 0;
    for (const { at, stride, shift } of this.#planes) {
      const rowBytes = width >> shift;
      const rows = height >> shift;
      let to = at + (y >> shift) * stride + (x >> shift);
      if (rowBytes === stride) {
        this.bytes.set(picture.subarray(from, from + rowBytes * rows), to);
        from += rowBytes * rows;
        continue;
      }
      for (let row = 0; row < rows; row += 1) {
        this.bytes.set(picture.subarray(from, from + rowBytes), to);
        from += rowBytes;
        to += stride;
      }
    }
  }
}

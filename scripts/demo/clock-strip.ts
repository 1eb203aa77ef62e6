/**
 * The strip along the upper edge of the demo's picture (a player's controls cover the lower): the wall clock in a form
 * that a program can read back from a frame, after any encoder and at any size. Two rows of cells: the upper holds
 * Unix time in ms, most significant bit first, a light cell for 1; the lower holds the complement, which makes a
 * misread cell known.
 */
export const CLOCK_STRIP = {
  /** Enough for the next century. */
  bits: 42,
  /** Position and size as fractions of the picture's, so that they hold in every rendition. */
  left: 1 / 16,
  width: 14 / 16,
  top: 0.03,
  height: 0.032,
} as const;

/** Light and dark cells differ by more than 150 of 255; what is nearer than this was torn or blurred beyond reading. */
const MIN_CONTRAST = 50;

/** Brightness (0 to 255) of a pixel of the frame. */
export type LumaAt = (x: number, y: number) => number;

/**
 * Reads the strip of a frame of the given size in pixels.
 * @returns Unix time in ms at which the frame was made; undefined where the frame carries no readable strip.
 */
export function readClockStrip(lumaAt: LumaAt, width: number, height: number): number | undefined {
  const cellWidth = (width * CLOCK_STRIP.width) / CLOCK_STRIP.bits;
  const rowHeight = (height * CLOCK_STRIP.height) / 2;
  let time = 0;
  for (let bit = 0; bit < CLOCK_STRIP.bits; bit += 1) {
    const x = width * CLOCK_STRIP.left + bit * cellWidth;
    const upper = meanOfMiddle(lumaAt, x, height * CLOCK_STRIP.top, cellWidth, rowHeight);
    const lower = meanOfMiddle(lumaAt, x, height * CLOCK_STRIP.top + rowHeight, cellWidth, rowHeight);
    if (Math.abs(upper - lower) < MIN_CONTRAST) return undefined;
    time = time * 2 + (upper > lower ? 1 : 0);
  }
  return time;
}

/** Mean brightness of the middle half of a cell: its rim is mixed with the neighbours by scaling and coding. */
function meanOfMiddle(lumaAt: LumaAt, left: number, top: number, width: number, height: number): number {
  const x0 = Math.floor(left + width / 4);
  const x1 = Math.max(x0 + 1, Math.ceil(left + (width * 3) / 4));
  const y0 = Math.floor(top + height / 4);
  const y1 = Math.max(y0 + 1, Math.ceil(top + (height * 3) / 4));
  let sum = 0;
  for (let y = y0; y < y1; y += 1) for (let x = x0; x < x1; x += 1) sum += lumaAt(x, y);
  return sum / ((x1 - x0) * (y1 - y0));
}

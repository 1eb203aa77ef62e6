/** How equal tiles fill a box. CSS pixels. */
export interface TileGrid {
  readonly columns: number;
  readonly rows: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
}

/** A camera's own shape, and how far a tile may depart from it to fill the window: what is beyond is cropped. */
const WIDEST = 16 / 9;
const TALLEST = { wide: 6 / 5, upright: 4 / 5 } as const;
/** Of two arrangements that show as much, the one that crops less. */
const CROP_COST = 0.35;

/** The narrowest shape of a face in a window of this size. */
export function tallestShape(width: number, height: number): number {
  return width > height ? TALLEST.wide : TALLEST.upright;
}

/** Arranges `count` tiles so that as much as possible is seen of all of them. Pure. */
export function tileGrid(width: number, height: number, count: number, gap: number): TileGrid {
  const tallest = tallestShape(width, height);
  let best: TileGrid = { columns: 1, rows: 1, tileWidth: 0, tileHeight: 0 };
  let bestWorth = -1;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns) || 1;
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const shape = Math.min(WIDEST, Math.max(tallest, cellWidth / cellHeight));
    const tileWidth = Math.min(cellWidth, cellHeight * shape);
    const tileHeight = tileWidth / shape;
    const worth = tileWidth * tileHeight * (1 - CROP_COST * (1 - shape / WIDEST));
    if (worth <= bestWorth) continue;
    bestWorth = worth;
    best = { columns, rows, tileWidth: Math.floor(tileWidth), tileHeight: Math.floor(tileHeight) };
  }
  return best;
}

/** Smaller, a face is not recognised. */
const LEAST_WIDTH = 150;
const LEAST_HEIGHT = 96;
const MOST_ON_A_PAGE = 25;

/** How many tiles a page of the grid takes, at least one. */
export function tilesPerPage(width: number, height: number, gap: number): number {
  let fits = 1;
  for (let count = 2; count <= MOST_ON_A_PAGE; count++) {
    const { tileWidth, tileHeight } = tileGrid(width, height, count, gap);
    if (tileWidth >= LEAST_WIDTH && tileHeight >= LEAST_HEIGHT) fits = count;
  }
  return fits;
}

/** Where the strip of small tiles lies when one thing is shown large, and how wide (or high) it is. */
export interface Spotlight {
  readonly strip: "side" | "below" | "none";
  /** Width of a strip at the side, height of one below. */
  readonly stripSize: number;
}

/** Pure. @param others how many small tiles there are. */
export function spotlight(width: number, height: number, others: number): Spotlight {
  if (others === 0) return { strip: "none", stripSize: 0 };
  if (width > height * 1.25 && width >= 560) {
    return { strip: "side", stripSize: Math.round(Math.min(340, Math.max(132, width * 0.17))) };
  }
  return { strip: "below", stripSize: Math.round(Math.min(180, Math.max(84, height * 0.18))) };
}

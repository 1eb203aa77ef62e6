import { spotlight, tileGrid, tilesPerPage } from "./tile-grid.ts";

/** Where one tile lies, CSS pixels from the stage's corner. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Arrangement {
  /** Null: nothing is large. */
  readonly large: Place | null;
  /** Of the tiles of this page, in order. */
  readonly places: readonly Place[];
  /** Tiles on a full page; 0 where there is room for none beside the large one. */
  readonly perPage: number;
  readonly pages: number;
  /** The page that is shown: the one that was asked for, or the last. */
  readonly page: number;
}

/** What is shown large: a person's picture may be cropped, a screen's may not. */
export type LargeKind = "person" | "screen";

const CAMERA_SHAPE = 16 / 9;
const TALLEST_FACE = 4 / 5;
/** A screen on an upright window leaves this much of the height to the people, at least. */
const PEOPLE_BELOW = 0.3;

/** Lays out a stage of this size. Pure. @param count of tiles, apart from the large one. @param page from 0. */
export function arrange(
  width: number,
  height: number,
  count: number,
  large: LargeKind | null,
  page: number,
  gap: number,
): Arrangement {
  if (large === null) return paged(0, 0, width, height, count, page, gap, null);
  const { strip, stripSize } = spotlight(width, height, count);
  if (strip === "none") return { ...NOTHING, large: fitted({ x: 0, y: 0, width, height }, large) };
  if (strip === "side") {
    const tileHeight = Math.round(stripSize / CAMERA_SHAPE);
    const perPage = Math.max(1, Math.floor((height + gap) / (tileHeight + gap)));
    const shown = pageOf(count, perPage, page);
    const top = Math.max(0, (height - shown.count * tileHeight - (shown.count - 1) * gap) / 2);
    const x = width - stripSize;
    return {
      large: fitted({ x: 0, y: 0, width: x - gap, height }, large),
      places: times(shown.count, (index) => ({
        x,
        y: Math.round(top + index * (tileHeight + gap)),
        width: stripSize,
        height: tileHeight,
      })),
      ...shown.paging,
    };
  }
  // Upright: a screen is as wide as the window, and the people have what it leaves.
  const below =
    large === "screen"
      ? Math.max(stripSize, Math.round(height * PEOPLE_BELOW), height - gap - Math.round((width * 10) / 16))
      : stripSize;
  const place = fitted({ x: 0, y: 0, width, height: height - below - gap }, large);
  if (below > stripSize * 1.6) return paged(0, height - below, width, below, count, page, gap, place);
  const tileWidth = Math.round(Math.min(below * CAMERA_SHAPE, Math.max(below, (width - 2 * gap) / 3)));
  const perPage = Math.max(1, Math.floor((width + gap) / (tileWidth + gap)));
  const shown = pageOf(count, perPage, page);
  const left = Math.max(0, (width - shown.count * tileWidth - (shown.count - 1) * gap) / 2);
  return {
    large: place,
    places: times(shown.count, (index) => ({
      x: Math.round(left + index * (tileWidth + gap)),
      y: height - below,
      width: tileWidth,
      height: below,
    })),
    ...shown.paging,
  };
}

const NOTHING = { large: null, places: [], perPage: 0, pages: 1, page: 0 } satisfies Arrangement;

/** Equal tiles in a box, page by page; the last row is centred. */
function paged(
  x: number,
  y: number,
  width: number,
  height: number,
  count: number,
  page: number,
  gap: number,
  large: Place | null,
): Arrangement {
  if (count === 0 || width <= 0 || height <= 0) return { ...NOTHING, large };
  const perPage = Math.min(count, tilesPerPage(width, height, gap));
  const shown = pageOf(count, perPage, page);
  // Every page has the tiles of a full one: faces do not change their size from page to page.
  const { columns, tileWidth, tileHeight } = tileGrid(width, height, perPage, gap);
  const rows = Math.ceil(shown.count / columns);
  const top = y + (height - rows * tileHeight - (rows - 1) * gap) / 2;
  return {
    large,
    places: times(shown.count, (index) => {
      const row = Math.floor(index / columns);
      const inRow = Math.min(columns, shown.count - row * columns);
      const left = x + (width - inRow * tileWidth - (inRow - 1) * gap) / 2;
      return {
        x: Math.round(left + (index % columns) * (tileWidth + gap)),
        y: Math.round(top + row * (tileHeight + gap)),
        width: tileWidth,
        height: tileHeight,
      };
    }),
    ...shown.paging,
  };
}

function pageOf(count: number, perPage: number, wanted: number) {
  const pages = Math.max(1, Math.ceil(count / perPage));
  const page = Math.min(Math.max(0, wanted), pages - 1);
  return { count: Math.min(perPage, count - page * perPage), paging: { perPage, pages, page } };
}

/** A person keeps a camera's shape, within bounds; a screen has all that there is, and is letterboxed in it. */
function fitted(box: Place, kind: LargeKind): Place {
  if (kind === "screen") return box;
  const shape = Math.min(CAMERA_SHAPE, Math.max(TALLEST_FACE, box.width / box.height));
  const width = Math.round(Math.min(box.width, box.height * shape));
  const height = Math.round(width / shape);
  return {
    x: Math.round(box.x + (box.width - width) / 2),
    y: Math.round(box.y + (box.height - height) / 2),
    width,
    height,
  };
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => make(index));
}

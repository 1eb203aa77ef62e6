import { spotlight, tallestShape, tileGrid, tilesPerPage } from "./tile-grid.ts";

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
  /** What turns pages: the middle of its upper edge, and whether it lies over the large picture. Null where there is one page. */
  readonly pager: { readonly x: number; readonly y: number; readonly over: boolean } | null;
}

/** What is shown large: a person's picture may be cropped, a screen's may not. */
export type LargeKind = "person" | "screen";

const CAMERA_SHAPE = 16 / 9;
/** A screen on an upright window leaves this much of the height to the people, at least. */
const PEOPLE_BELOW = 0.3;
/** Height of what turns pages. */
const PAGER = 36;
/** So many small faces beside one another below a large one, at least. */
const STRIP_COLUMNS = 3;

/** Lays out a stage of this size. Pure. @param count of tiles, apart from the large one. @param page from 0. */
export function arrange(
  width: number,
  height: number,
  count: number,
  large: LargeKind | null,
  page: number,
  gap: number,
): Arrangement {
  const all = { x: 0, y: 0, width, height };
  if (large === null) return inGrid(all, count, page, gap, null);
  const { strip, stripSize } = spotlight(width, height, count);
  if (strip === "none") return { ...NOTHING, large: fitted(all, large) };
  if (strip === "side") {
    const side = { x: width - stripSize, y: 0, width: stripSize, height };
    const place = fitted({ ...all, width: width - stripSize - gap }, large);
    return inLine(side, stripSize, Math.round(stripSize / CAMERA_SHAPE), count, page, gap, place);
  }
  // Upright: a screen is as wide as the window, and the people have what it leaves.
  const below =
    large === "screen"
      ? Math.max(stripSize, Math.round(height * PEOPLE_BELOW), height - gap - Math.round((width * 10) / 16))
      : stripSize;
  const place = fitted({ ...all, height: height - below - gap }, large);
  const rest = { x: 0, y: height - below, width, height: below };
  if (below > stripSize * 1.6) return inGrid(rest, count, page, gap, place);
  const tileWidth = Math.floor(Math.min(below * CAMERA_SHAPE, (width - (STRIP_COLUMNS - 1) * gap) / STRIP_COLUMNS));
  return inLine(rest, tileWidth, below, count, page, gap, place);
}

const NOTHING = { large: null, places: [], perPage: 0, pages: 1, page: 0, pager: null } satisfies Arrangement;

/** Equal tiles in a box, page by page; the last row is centred. */
function inGrid(box: Place, count: number, page: number, gap: number, large: Place | null): Arrangement {
  if (count === 0 || box.width <= 0 || box.height <= 0) return { ...NOTHING, large };
  const fits = tilesPerPage(box.width, box.height, gap);
  const height = count > fits ? Math.max(1, box.height - PAGER - gap) : box.height;
  const perPage = Math.min(count, tilesPerPage(box.width, height, gap));
  const shown = pageOf(count, perPage, page);
  // Every page has the tiles of a full one: faces do not change their size from page to page.
  const { columns, tileWidth, tileHeight } = tileGrid(box.width, height, perPage, gap);
  const rows = Math.ceil(shown.count / columns);
  const top = box.y + (height - rows * tileHeight - (rows - 1) * gap) / 2;
  return {
    large,
    places: times(shown.count, (index) => {
      const row = Math.floor(index / columns);
      const inRow = Math.min(columns, shown.count - row * columns);
      const left = box.x + (box.width - inRow * tileWidth - (inRow - 1) * gap) / 2;
      return {
        x: Math.floor(left + (index % columns) * (tileWidth + gap)),
        y: Math.floor(top + row * (tileHeight + gap)),
        width: tileWidth,
        height: tileHeight,
      };
    }),
    pager: shown.paging.pages > 1 ? { x: box.x + box.width / 2, y: box.y + height + gap, over: false } : null,
    ...shown.paging,
  };
}

/** Tiles of one size in a column, or in a row where the box is wider than high; centred. */
function inLine(
  box: Place,
  tileWidth: number,
  tileHeight: number,
  count: number,
  page: number,
  gap: number,
  large: Place,
): Arrangement {
  const upright = box.height > box.width;
  const step = (upright ? tileHeight : tileWidth) + gap;
  const fits = (length: number) => Math.max(1, Math.floor((length + gap) / step));
  const whole = upright ? box.height : box.width;
  const isPaged = count > fits(whole);
  // Beside a column there is room below it; a row is turned over the large picture.
  const length = isPaged && upright ? whole - PAGER - gap : whole;
  const shown = pageOf(count, fits(length), page);
  const from = Math.max(0, (length - (shown.count * step - gap)) / 2);
  return {
    large,
    places: times(shown.count, (index) => ({
      x: upright ? box.x : Math.floor(box.x + from + index * step),
      y: upright ? Math.floor(box.y + from + index * step) : box.y,
      width: tileWidth,
      height: tileHeight,
    })),
    pager: !isPaged
      ? null
      : upright
        ? { x: box.x + box.width / 2, y: box.y + length + gap, over: false }
        : { x: box.x + box.width / 2, y: box.y - 2 * gap - PAGER, over: true },
    ...shown.paging,
  };
}

function pageOf(count: number, perPage: number, wanted: number) {
  const pages = Math.max(1, Math.ceil(count / perPage));
  const page = Math.min(Math.max(0, wanted), pages - 1);
  return { count: Math.max(0, Math.min(perPage, count - page * perPage)), paging: { perPage, pages, page } };
}

/** A person keeps a camera's shape, within bounds; a screen has all that there is, and is letterboxed in it. */
function fitted(box: Place, kind: LargeKind): Place {
  if (kind === "screen") return box;
  const shape = Math.min(CAMERA_SHAPE, Math.max(tallestShape(box.width, box.height), box.width / box.height));
  const width = Math.floor(Math.min(box.width, box.height * shape));
  const height = Math.floor(width / shape);
  return {
    x: Math.floor(box.x + (box.width - width) / 2),
    y: Math.floor(box.y + (box.height - height) / 2),
    width,
    height,
  };
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => make(index));
}

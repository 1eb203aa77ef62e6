import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Arrangement, arrange, type LargeKind, type Place } from "./arrangement.ts";

const GAP = 8;
const SIZES: readonly (readonly [name: string, width: number, height: number])[] = [
  ["360×640 phone", 348, 532],
  ["1280×800", 1264, 688],
  ["1920×1080", 1904, 968],
  ["3840×2160", 3824, 1980],
];

const area = ({ width, height }: Place) => width * height;
const all = (arrangement: Arrangement) => [...(arrangement.large ? [arrangement.large] : []), ...arrangement.places];

describe("the stage's layout (RTC2)", () => {
  it("keeps every tile within the stage, apart from every other, whatever the window, for everybody on some page", () => {
    const kinds: (LargeKind | null)[] = [null, "person", "screen"];
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 4000 }),
        fc.integer({ min: 200, max: 2200 }),
        fc.nat(60),
        fc.constantFrom(...kinds),
        fc.nat(8),
        (width, height, count, large, page) => {
          const arrangement = arrange(width, height, count, large, page, GAP);
          const tiles = all(arrangement);
          for (const tile of tiles) {
            expect(tile.width).toBeGreaterThan(0);
            expect(tile.height).toBeGreaterThan(0);
            expect(tile.x).toBeGreaterThanOrEqual(0);
            expect(tile.y).toBeGreaterThanOrEqual(0);
            expect(tile.x + tile.width).toBeLessThanOrEqual(width);
            expect(tile.y + tile.height).toBeLessThanOrEqual(height);
          }
          for (const [index, one] of tiles.entries()) {
            for (const other of tiles.slice(index + 1)) {
              const apart =
                one.x + one.width <= other.x ||
                other.x + other.width <= one.x ||
                one.y + one.height <= other.y ||
                other.y + other.height <= one.y;
              expect(apart).toBe(true);
            }
          }
          if (count > 0) {
            expect(arrangement.pages * arrangement.perPage).toBeGreaterThanOrEqual(count);
            expect(arrangement.page).toBeLessThan(arrangement.pages);
            expect(arrangement.places.length).toBeGreaterThan(0);
            expect(arrangement.pager !== null).toBe(arrangement.pages > 1);
          }
        },
      ),
    );
  });

  it.each(SIZES)("fills %s well with up to nine people", (_name, width, height) => {
    for (let count = 1; count <= 9; count++) {
      const { places, pages } = arrange(width, height, count, null, 0, GAP);
      expect(pages).toBe(1);
      expect(places.reduce((sum, place) => sum + area(place), 0) / (width * height)).toBeGreaterThan(0.55);
    }
  });

  it.each(SIZES)(
    "gives most of %s to a shared screen, or to who speaks, with others beside it",
    (_name, width, height) => {
      for (const large of ["person", "screen"] as const) {
        const arrangement = arrange(width, height, 4, large, 0, GAP);
        expect(arrangement.places.length).toBeGreaterThanOrEqual(3);
        const biggest = Math.max(...arrangement.places.map(area));
        expect(area(arrangement.large as Place)).toBeGreaterThan(biggest * 2);
      }
    },
  );

  it("shows a lone screen or speaker over the whole stage", () => {
    expect(arrange(1264, 688, 0, "screen", 0, GAP).large).toEqual({ x: 0, y: 0, width: 1264, height: 688 });
    expect(arrange(1264, 688, 0, "person", 0, GAP).large).toMatchObject({ height: 687 });
    expect(arrange(1264, 688, 0, null, 0, GAP)).toMatchObject({ places: [], pages: 1 });
  });

  it("keeps a face's size from page to page, and shows the last page for one that is not there", () => {
    const first = arrange(1264, 688, 30, null, 0, GAP);
    const last = arrange(1264, 688, 30, null, 99, GAP);
    expect(last.page).toBe(first.pages - 1);
    expect(last.places[0]?.width).toBe(first.places[0]?.width);
    expect(last.places.length).toBe(30 - first.perPage * (first.pages - 1));
  });
});

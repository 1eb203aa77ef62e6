import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  byQuality,
  capForBox,
  findPinned,
  pinOf,
  type Rendition,
  renditionName,
  startingRendition,
} from "./rendition.ts";

function rendition(index: number, height: number, bitrate: number, frameRate = 30): Rendition {
  return { index, width: Math.round((height * 16) / 9), height, bitrate, frameRate, codecs: "avc1.640028,mp4a.40.2" };
}

const LADDER = [
  rendition(0, 240, 400_000),
  rendition(1, 360, 800_000),
  rendition(2, 480, 1_500_000),
  rendition(3, 720, 3_000_000),
  rendition(4, 1080, 6_000_000),
  rendition(5, 1080, 12_000_000, 60),
];

describe("renditions (PLY1)", () => {
  it("names them as viewers know them", () => {
    expect(renditionName(rendition(0, 720, 1))).toBe("720p");
    expect(renditionName(rendition(0, 1080, 1, 59.94))).toBe("1080p60");
    expect(renditionName({ width: 720, height: 1280, frameRate: 25 })).toBe("720p");
    expect(renditionName({ width: null, height: null, frameRate: null })).toBe("audio");
  });

  it("sorts the best first", () => {
    expect(LADDER.toSorted(byQuality).map(({ index }) => index)).toEqual([5, 4, 3, 2, 1, 0]);
  });

  it("fetches no more than the picture can show", () => {
    const cap = (width: number, height: number, pixelRatio = 1) =>
      capForBox(LADDER, { width, height, pixelRatio })?.index;
    expect(cap(1280, 720)).toBe(3);
    expect(cap(1351, 760)).toBe(3);
    expect(cap(1500, 844)).toBe(5);
    expect(cap(390, 219)).toBe(0);
    expect(cap(390, 219, 3)).toBe(2);
    expect(cap(3840, 2160)).toBe(5);
    expect(cap(0, 0)).toBeUndefined();
    expect(capForBox([], { width: 100, height: 100, pixelRatio: 1 })).toBeNull();
  });

  it("begins with what the last known bandwidth carries, in the middle of the ladder when none is known", () => {
    expect(startingRendition(LADDER, null, null)?.index).toBe(3);
    expect(startingRendition(LADDER, 3_000_000, null)?.index).toBe(2);
    expect(startingRendition(LADDER, 100_000, null)?.index).toBe(0);
    expect(startingRendition(LADDER, 100_000_000, null)?.index).toBe(5);
    expect(startingRendition(LADDER, 100_000_000, LADDER[1] ?? null)?.index).toBe(1);
    expect(startingRendition([], null, null)).toBeNull();
  });

  it("finds a pinned quality again in another ladder", () => {
    const pin = pinOf(rendition(9, 1080, 5_500_000));
    expect(findPinned(LADDER, pin)?.index).toBe(4);
    expect(findPinned(LADDER.slice(0, 4), pin)?.index).toBe(3);
    expect(findPinned([rendition(0, 1440, 9_000_000)], pin)?.index).toBe(0);
    expect(findPinned([], pin)).toBeNull();
  });

  it("finds every rendition of a ladder by its own pin", () => {
    const ladder = fc.uniqueArray(fc.integer({ min: 100_000, max: 20_000_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        ladder,
        fc.array(fc.constantFrom(240, 480, 720, 1080), { minLength: 8, maxLength: 8 }),
        (rates, heights) => {
          const renditions = rates.map((bitrate, index) => rendition(index, heights[index] ?? 720, bitrate));
          for (const one of renditions) expect(findPinned(renditions, pinOf(one))).toBe(one);
        },
      ),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cropped, HANDLES, type Handle, resized, rotatedTowards } from "./handle.ts";
import { snapped } from "./snapping.ts";
import {
  contains,
  cornersOf,
  filling,
  normalisedRotation,
  pictureWithin,
  sampledPart,
  Transform,
} from "./transform.ts";

const CANVAS = { width: 1280, height: 720 };
const box: Transform = { ...filling(CANVAS), x: 300, y: 200, width: 200, height: 100 };
const KEYS = { free: false, centred: false };

const boxes = fc.record({
  x: fc.double({ min: -500, max: 2000, noNaN: true }),
  y: fc.double({ min: -500, max: 2000, noNaN: true }),
  width: fc.double({ min: 20, max: 2000, noNaN: true }),
  height: fc.double({ min: 20, max: 2000, noNaN: true }),
  rotation: fc.double({ min: -180, max: 180, noNaN: true }),
});
const handles = fc.constantFrom(...(Object.keys(HANDLES) as Handle[]));
const points = fc.record({
  x: fc.double({ min: -3000, max: 3000, noNaN: true }),
  y: fc.double({ min: -3000, max: 3000, noNaN: true }),
});

describe("STU1: boxes on the stage", () => {
  it("turn about their middle", () => {
    const corners = cornersOf({ ...box, rotation: 90 });
    expect(corners[0].x).toBeCloseTo(350);
    expect(corners[0].y).toBeCloseTo(100);
    expect(contains({ ...box, rotation: 90 }, { x: 300, y: 295 })).toBe(true);
    expect(contains({ ...box, rotation: 90 }, { x: 395, y: 200 })).toBe(false);
    expect(normalisedRotation(540)).toBe(180);
    expect(normalisedRotation(-190)).toBe(170);
  });

  it("show the whole source, or fill themselves with part of it", () => {
    expect(pictureWithin(box, { width: 100, height: 100 })).toEqual({ width: 100, height: 100 });
    expect(sampledPart({ ...box, fit: "cover" }, { width: 100, height: 100 })).toEqual({
      left: 0,
      right: 0,
      top: 0.25,
      bottom: 0.25,
    });
  });

  it("keep the opposite corner in place while resized, whichever way they are turned", () => {
    fc.assert(
      fc.property(boxes, handles, points, fc.boolean(), (place, handle, to, free) => {
        const before: Transform = { ...box, ...place };
        const after = resized(before, handle, to, { free, centred: false });
        const { dx, dy } = HANDLES[handle];
        const opposite = [
          [-1, -1],
          [1, -1],
          [1, 1],
          [-1, 1],
        ].findIndex(([x, y]) => (dx === 0 || x === -dx) && (dy === 0 || y === -dy));
        const was = cornersOf(before)[opposite];
        const is = cornersOf(after)[opposite];
        expect(is?.x).toBeCloseTo(was?.x ?? Number.NaN, 4);
        expect(is?.y).toBeCloseTo(was?.y ?? Number.NaN, 4);
        expect(after.width).toBeGreaterThanOrEqual(7.99);
        expect(after.height).toBeGreaterThanOrEqual(7.99);
      }),
    );
  });

  it("keep their proportions at corners, unless they are to be free", () => {
    const even = resized(box, "bottom_right", { x: 500, y: 251 }, KEYS);
    expect(even.width / even.height).toBeCloseTo(2);
    expect(resized(box, "bottom_right", { x: 500, y: 251 }, { free: true, centred: false })).toMatchObject({
      width: 300,
      height: 101,
    });
    expect(resized(box, "right", { x: 450, y: 0 }, { free: false, centred: true })).toMatchObject({
      x: 300,
      width: 300,
    });
  });

  it("turn towards the pointer, in steps where asked to", () => {
    expect(rotatedTowards(box, { x: 400, y: 200 }, false).rotation).toBeCloseTo(90);
    expect(rotatedTowards(box, { x: 310, y: 100 }, true).rotation).toBe(0);
  });

  it("crop without moving what is still seen, and never all of it", () => {
    const less = cropped(box, "left", { x: 250, y: 0 });
    expect(less).toMatchObject({ x: 325, width: 150, crop: { left: 0.25, right: 0, top: 0, bottom: 0 } });
    expect(cropped(less, "left", { x: -900, y: 0 })).toMatchObject({ x: 300, width: 200, crop: { left: 0 } });
    fc.assert(
      fc.property(boxes, handles, points, handles, points, (place, first, to, second, then) => {
        const after = cropped(cropped({ ...box, ...place }, first, to), second, then);
        expect(Transform.safeParse(after).error?.issues.filter(({ path }) => path[0] === "crop") ?? []).toEqual([]);
      }),
    );
  });

  it("snap to the canvas and to each other, each axis by itself", () => {
    const near = { ...box, x: 104, y: 355 };
    expect(snapped(near, [], CANVAS, 6)).toEqual({
      transform: { ...near, x: 100, y: 360 },
      guides: [
        { axis: "x", at: 0 },
        { axis: "y", at: 360 },
      ],
    });
    const other = { ...box, x: 700, y: 500 };
    expect(snapped({ ...box, x: 503, y: 120 }, [other], CANVAS, 6).transform).toMatchObject({ x: 500, y: 120 });
    expect(snapped({ ...box, x: 350, y: 120 }, [], CANVAS, 6).guides).toEqual([]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeWindow, SMALLEST_CONTENT } from "./window-placement.ts";

const LAPTOP = { x: 0, y: 25, width: 1920, height: 1055 };
const BESIDE = { x: 1920, y: 0, width: 2560, height: 1440 };

describe("where the window opens (STU9)", () => {
  test("the first time: in the middle of the main screen", () => {
    expect(placeWindow(undefined, [LAPTOP])).toEqual({ x: 160, y: 53, width: 1600, height: 1000, maximized: false });
  });

  test("where it was, on whichever screen", () => {
    const kept = { x: 2000, y: 100, width: 1700, height: 1100, maximized: true };
    expect(placeWindow(kept, [LAPTOP, BESIDE])).toEqual(kept);
  });

  test("on the main screen, where its own is gone", () => {
    const kept = { x: 2000, y: 100, width: 1700, height: 1100, maximized: false };
    expect(placeWindow(kept, [LAPTOP])).toEqual({ x: 110, y: 25, width: 1700, height: 1055, maximized: false });
  });

  test("never smaller than the layout, and always where it can be taken hold of, whatever was kept", () => {
    const number = fc.integer({ min: -20_000, max: 20_000 });
    const kept = fc.oneof(
      fc.anything(),
      fc.record({ x: number, y: number, width: fc.nat(9000), height: fc.nat(9000), maximized: fc.boolean() }),
    );
    fc.assert(
      fc.property(kept, (value) => {
        const placed = placeWindow(value, [LAPTOP, BESIDE]);
        expect(placed.width).toBeGreaterThanOrEqual(SMALLEST_CONTENT.width);
        expect(placed.height).toBeGreaterThanOrEqual(SMALLEST_CONTENT.height);
        const screen = [LAPTOP, BESIDE].some(
          ({ x, y, width, height }) =>
            placed.x + placed.width > x && placed.x < x + width && placed.y >= y && placed.y < y + height,
        );
        expect(screen).toBe(true);
      }),
    );
  });
});

import { expect, it } from "vitest";
import { Canvas, pictureBytes } from "./canvas.ts";

/** A picture whose planes have one value each. */
function plain(size: { width: number; height: number }, y: number, u: number, v: number): Buffer {
  const luma = size.width * size.height;
  return Buffer.concat([Buffer.alloc(luma, y), Buffer.alloc(luma / 4, u), Buffer.alloc(luma / 4, v)]);
}

/** Y, U and V at a pixel. */
function at({ bytes, size: { width, height } }: Canvas, x: number, y: number): number[] {
  const luma = width * height;
  const chroma = (y >> 1) * (width / 2) + (x >> 1);
  return [bytes[y * width + x], bytes[luma + chroma], bytes[luma * 1.25 + chroma]] as number[];
}

it("draws pictures where they belong, in all planes, and nothing beside them (RTC2)", () => {
  const canvas = new Canvas({ width: 16, height: 8 });
  expect(canvas.bytes).toHaveLength(pictureBytes({ width: 16, height: 8 }));
  const background = at(canvas, 0, 0);
  canvas.draw(plain({ width: 16, height: 8 }, 100, 110, 120), { x: 0, y: 0, width: 16, height: 8 });
  expect(at(canvas, 15, 7)).toEqual([100, 110, 120]);
  canvas.draw(plain({ width: 4, height: 2 }, 200, 210, 220), { x: 6, y: 4, width: 4, height: 2 });
  expect(at(canvas, 6, 4)).toEqual([200, 210, 220]);
  expect(at(canvas, 9, 5)).toEqual([200, 210, 220]);
  for (const [x, y] of [
    [5, 4],
    [10, 5],
    [6, 3],
    [6, 6],
  ] as const)
    expect(at(canvas, x, y)).toEqual([100, 110, 120]);
  canvas.clear();
  expect(at(canvas, 6, 4)).toEqual(background);
});

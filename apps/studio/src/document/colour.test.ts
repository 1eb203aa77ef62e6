import { expect, it } from "vitest";
import { Colour, componentsOf } from "./colour.ts";

it("STU1: colours are read as CSS writes them", () => {
  expect(componentsOf(Colour.parse("#FF8000"))).toEqual([1, 128 / 255, 0, 1]);
  expect(componentsOf(Colour.parse("#00000080"))).toEqual([0, 0, 0, 128 / 255]);
  expect(Colour.safeParse("#fff").success).toBe(false);
});

import { expect, test } from "vitest";
import { Relief } from "./relief.ts";

test("single sources give way while the program loses pictures, and come back slowly (STU8)", () => {
  const relief = new Relief();
  expect([relief.look(7), relief.every]).toEqual([false, 1]);
  for (const [lost, every] of [
    [8, 2],
    [9, 4],
    [20, 8],
    [21, 8],
  ] as const) {
    relief.look(lost);
    expect(relief.every).toBe(every);
  }
  const seconds = Array.from({ length: 30 }, () => {
    relief.look(21);
    return relief.every;
  });
  expect([seconds[8], seconds[9], seconds[19], seconds[29]]).toEqual([8, 4, 2, 1]);
  relief.look(22);
  relief.reset();
  expect(relief.every).toBe(1);
});

import { expect, test } from "vitest";
import { Relief } from "./relief.ts";

test("single sources give way while the program loses pictures, and come back slowly (STU8)", () => {
  const relief = new Relief();
  expect([relief.look(7), relief.every]).toEqual([false, 1]);
  for (const [lost, every] of [
    [9, 1],
    [12, 2],
    [30, 4],
    [40, 4],
  ] as const) {
    relief.look(lost);
    expect(relief.every).toBe(every);
  }
  const seconds = Array.from({ length: 20 }, () => {
    relief.look(41);
    return relief.every;
  });
  expect([seconds[8], seconds[9], seconds[19]]).toEqual([4, 2, 1]);
  relief.look(50);
  relief.reset();
  expect(relief.every).toBe(1);
});

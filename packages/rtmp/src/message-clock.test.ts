import { expect, test } from "vitest";
import { MessageClock } from "./message-clock.ts";

const unwrap = (timestamps: number[]) => {
  const clock = new MessageClock();
  return timestamps.map((timestamp) => clock.unwrap(timestamp));
};
const WRAP = 2 ** 32;

test("time goes on over the 32-bit wrap, with audio and video out of step around it (ING1)", () => {
  expect(unwrap([WRAP - 40, WRAP - 7, 26, WRAP - 3, 20, 59])).toEqual([
    WRAP - 40,
    WRAP - 7,
    WRAP + 26,
    WRAP - 3,
    WRAP + 20,
    WRAP + 59,
  ]);
});

test("jumps stay as they are", () => {
  expect(unwrap([0, 3_000_000_000, 5, WRAP - 1_000_000, 5])).toEqual([0, 3_000_000_000, 5, WRAP - 1_000_000, 5]);
  expect(unwrap([0, WRAP - 5])).toEqual([0, WRAP - 5]);
});

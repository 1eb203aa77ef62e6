import { expect, it } from "vitest";
import { JitterBufferTarget } from "./jitter-buffer-target.ts";

it("holds back nothing until the picture freezes, and less again once it is calm", () => {
  const target = new JitterBufferTarget();
  expect(target.update(0, 0)).toBe(false);
  expect(target.update(0, 60_000)).toBe(false);
  expect(target.value).toBe(0);
  expect(target.update(1, 61_000)).toBe(true);
  expect(target.value).toBe(40);
  target.update(2, 62_000);
  expect(target.value).toBe(80);
  for (let at = 63_000; at < 70_000; at += 1000) target.update(1, at);
  expect(target.value).toBe(320);
  expect(target.update(0, 80_000)).toBe(false);
  for (let at = 90_000; at < 200_000; at += 1000) target.update(0, at);
  expect(target.value).toBe(0);
});

import { expect, test } from "vitest";
import { FrameClock } from "./frame-clock.ts";
import { isolatedBitrate, isolatedSize } from "./isolated-shape.ts";

const FRAME = 33_333;

test("frames that arrive late keep their distance (STU8)", () => {
  const clock = new FrameClock();
  const late = [0, 4000, 30_000, 0, 12_000, 1000];
  const placed = Array.from({ length: 120 }, (_, i) =>
    clock.place(5_000_000 + i * FRAME, 70_000_000 + i * FRAME + (late[i % late.length] as number)),
  );
  const steps = placed.slice(1).map((at, i) => at - (placed[i] as number));
  expect(new Set(steps)).toEqual(new Set([FRAME]));
  expect(placed[0]).toBe(70_000_000);
});

test("a track that begins anew, and a picture that stands, never run backwards (STU8)", () => {
  const clock = new FrameClock();
  expect(clock.place(1_000_000, 50_000)).toBe(50_000);
  expect(clock.repeat(550_000)).toBe(550_000);
  expect(clock.place(1_033_333, 560_000)).toBeGreaterThan(550_000);
  const before = clock.place(1_066_666, 593_000);
  expect(clock.place(0, 20_000_000)).toBe(20_000_000);
  expect(clock.repeat(0)).toBeGreaterThan(before);
});

test("a source is as large as its first picture, in even numbers, and a guest's at least as large as 720p (STU8)", () => {
  const guest = { width: 1280, height: 720 };
  expect(isolatedSize({ width: 1920, height: 1080 }, undefined)).toEqual({ width: 1920, height: 1080 });
  expect(isolatedSize({ width: 1365, height: 767 }, undefined)).toEqual({ width: 1366, height: 768 });
  expect(isolatedSize({ width: 5120, height: 2880 }, undefined)).toEqual({ width: 3840, height: 2160 });
  expect(isolatedSize({ width: 320, height: 180 }, guest)).toEqual(guest);
  expect(isolatedSize({ width: 240, height: 320 }, guest)).toEqual({ width: 540, height: 720 });
  expect(isolatedSize({ width: 1920, height: 1080 }, guest)).toEqual({ width: 1920, height: 1080 });
  expect(isolatedBitrate({ width: 1280, height: 720 }, 30)).toBe(3_317_760);
  expect(isolatedBitrate({ width: 3840, height: 2160 }, 60)).toBe(25_000_000);
});

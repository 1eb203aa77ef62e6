import { describe, expect, test } from "vitest";
import { PictureWatch } from "./picture-watch.ts";

describe("STU1: a camera that is open and sends nothing", () => {
  test("is opened anew after some seconds, and more seldom as long as that does not help", () => {
    const watch = new PictureWatch();
    expect(watch.look(30)).toBe("shows");
    const openedAt: number[] = [];
    for (let second = 1; second <= 260; second += 1) if (watch.look(0) === "silent") openedAt.push(second);
    expect(openedAt).toEqual([4, 12, 28, 60, 120, 180, 240]);
    expect(watch.look(1)).toBe("shows");
    for (let second = 1; second < 4; second += 1) expect(watch.look(0)).toBe("waits");
    expect(watch.look(0)).toBe("silent");
  });

  test("has time again when it was opened by somebody else", () => {
    const watch = new PictureWatch();
    for (let second = 1; second < 4; second += 1) watch.look(0);
    watch.reset();
    expect(watch.look(0)).toBe("waits");
  });
});

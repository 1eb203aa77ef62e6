import { describe, expect, it } from "vitest";
import { History } from "./history.ts";

describe("STU1: undo and redo", () => {
  it("go back and forth, and forget what was undone when something else is done", () => {
    const history = new History(0);
    history.change(1, "one");
    history.change(2, "two");
    expect(history.undoLabel).toBe("two");
    expect(history.undo()).toBe(true);
    expect([history.value, history.redoLabel]).toEqual([1, "two"]);
    expect(history.redo()).toBe(true);
    expect(history.value).toBe(2);
    history.undo();
    history.change(3, "three");
    expect(history.redo()).toBe(false);
    history.undo();
    history.undo();
    expect([history.value, history.undo()]).toEqual([0, false]);
  });

  it("take one drag for one step", () => {
    const history = new History(0);
    for (const value of [1, 2, 3]) history.change(value, "move", "drag 1");
    history.endGesture();
    history.change(4, "move", "drag 1");
    history.undo();
    expect(history.value).toBe(3);
    history.undo();
    expect(history.value).toBe(0);
  });

  it("do nothing for a change to the same value, and keep no more than 500 steps", () => {
    const history = new History(0);
    history.change(0, "nothing");
    expect(history.undoLabel).toBeUndefined();
    for (let value = 1; value <= 600; value += 1) history.change(value, "count");
    let steps = 0;
    while (history.undo()) steps += 1;
    expect([steps, history.value]).toEqual([500, 100]);
  });
});

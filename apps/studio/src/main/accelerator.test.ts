import { expect, test } from "vitest";
import { acceleratorOf, mayBeGlobal } from "./accelerator.ts";

test("keys of the settings are written as Electron writes them (STU9)", () => {
  expect(acceleratorOf("Control+Shift+KeyL")).toBe("Control+Shift+L");
  expect(acceleratorOf("Meta+Digit1")).toBe("Super+1");
  expect(acceleratorOf("F13")).toBe("F13");
  expect(acceleratorOf("Alt+Numpad7")).toBe("Alt+num7");
  expect(acceleratorOf("Control+Equal")).toBe("Control+=");
  for (const none of ["", "Control", "Hyper+KeyL", "Control+Shift+", "KeyÄ", "F25", "Control+KeyLL", "constructor"]) {
    expect(acceleratorOf(none), none).toBeUndefined();
  }
});

test("a key that people type with is never taken from other programs (STU9)", () => {
  expect(["KeyA", "Shift+KeyA", "Space", "Digit1"].filter(mayBeGlobal)).toEqual([]);
  expect(["F9", "Shift+F9", "Control+KeyA", "Alt+Shift+Digit1", "MediaPlayPause"].filter(mayBeGlobal)).toHaveLength(5);
});

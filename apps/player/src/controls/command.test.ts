import { describe, expect, it } from "vitest";
import { commandFor, type FocusedElement, type KeyPress } from "./command.ts";

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  defaultPrevented: false,
  isComposing: false,
  ...more,
});
const focus = (tag: string, type: string | null = null): FocusedElement => ({ tag, type, editable: false });

describe("keys (PLY1)", () => {
  it("knows every command, in either case of the letter", () => {
    expect(commandFor(press(" "), null)).toBe("toggle-play");
    expect(commandFor(press("K"), null)).toBe("toggle-play");
    expect(commandFor(press("ArrowUp"), null)).toBe("louder");
    expect(commandFor(press("?"), null)).toBe("open-help");
    expect(commandFor(press("x"), null)).toBeNull();
  });

  it.each(["ctrlKey", "metaKey", "altKey", "defaultPrevented", "isComposing"] as const)(
    "leaves a press with %s alone",
    (property) => {
      expect(commandFor(press("f", { [property]: true }), null)).toBeNull();
    },
  );

  it("leaves typing alone", () => {
    expect(commandFor(press("m"), focus("input", "text"))).toBeNull();
    expect(commandFor(press("m"), focus("textarea"))).toBeNull();
    expect(commandFor(press("m"), { ...focus("div"), editable: true })).toBeNull();
  });

  it("lets a slider have its arrows, and a button its space", () => {
    expect(commandFor(press("ArrowLeft"), focus("input", "range"))).toBeNull();
    expect(commandFor(press("m"), focus("input", "range"))).toBe("toggle-mute");
    expect(commandFor(press(" "), focus("button"))).toBeNull();
    expect(commandFor(press("k"), focus("button"))).toBe("toggle-play");
  });
});

import { describe, expect, it } from "vitest";
import { type Command, CommandRegistry, type FocusedElement } from "./command-registry.ts";
import { combinationOf, type KeyPress, keyLabel } from "./key-combination.ts";

const press = (code: string, held: Partial<KeyPress> = {}): KeyPress => ({
  code,
  key: "",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

function registry(...commands: (Partial<Command> & { id: string })[]) {
  const done: string[] = [];
  const registered = new CommandRegistry(false);
  registered.register(
    ...commands.map((command) => ({
      group: "show" as const,
      label: () => command.id,
      run: () => void done.push(command.id),
      ...command,
    })),
  );
  return { registry: registered, done };
}

const TEXT: FocusedElement = { text: true, arrows: false, pressable: false };
const BUTTON: FocusedElement = { text: false, arrows: false, pressable: true };
const TAB: FocusedElement = { text: false, arrows: true, pressable: true };

describe("key combinations", () => {
  it("names a press as settings keep it", () => {
    expect(combinationOf(press("KeyL", { ctrlKey: true, shiftKey: true }), false)).toBe("Control+Shift+KeyL");
    expect(combinationOf(press("Numpad1"), false)).toBe("Digit1");
    expect(combinationOf(press("ShiftLeft", { shiftKey: true }), false)).toBeUndefined();
    expect(combinationOf(press("Minus", { key: "?", shiftKey: true }), false)).toBe("Shift+Slash");
  });

  it("takes a Mac's command key for Control", () => {
    expect(combinationOf(press("KeyZ", { metaKey: true }), true)).toBe("Control+KeyZ");
    expect(combinationOf(press("KeyZ", { ctrlKey: true }), true)).toBe("Meta+KeyZ");
  });

  it("writes keys as people read them", () => {
    expect(keyLabel("Control+Shift+KeyL", false)).toBe("Ctrl+Shift+L");
    expect(keyLabel("Control+Shift+KeyL", true)).toBe("⌘⇧L");
    expect(keyLabel("ArrowLeft", false)).toBe("←");
    expect(keyLabel("Shift+Slash", false)).toBe("?");
  });
});

describe("the command registry (STU1)", () => {
  it("runs what a key means, and only that", () => {
    const { registry: commands, done } = registry({ id: "one", keys: ["KeyA", "F1"] });
    expect(commands.press(press("KeyA"), undefined)).toBe(true);
    expect(commands.press(press("KeyB"), undefined)).toBe(false);
    expect(commands.press(press("KeyA", { shiftKey: true }), undefined)).toBe(false);
    expect(done).toEqual(["one"]);
  });

  it("leaves keys to text fields, lists and buttons that use them", () => {
    const { registry: commands, done } = registry(
      { id: "undo", keys: ["Control+KeyZ"] },
      { id: "nudge", keys: ["ArrowLeft"] },
      { id: "take", keys: ["Enter"] },
      { id: "scene", keys: ["F1"] },
    );
    expect(commands.press(press("KeyZ", { ctrlKey: true }), TEXT)).toBe(false);
    expect(commands.press(press("F1"), TEXT)).toBe(true);
    expect(commands.press(press("ArrowLeft"), TAB)).toBe(false);
    expect(commands.press(press("ArrowLeft"), BUTTON)).toBe(true);
    expect(commands.press(press("Enter"), BUTTON)).toBe(false);
    expect(commands.press(press("KeyZ", { ctrlKey: true }), BUTTON)).toBe(true);
    expect(done).toEqual(["scene", "nudge", "undo"]);
  });

  it("does not run what cannot be done, and keeps function keys from the browser all the same", () => {
    const { registry: commands, done } = registry(
      { id: "five", keys: ["F5"], enabled: () => false },
      { id: "delete", keys: ["Delete"], enabled: () => false },
    );
    expect(commands.press(press("F5"), undefined)).toBe(true);
    expect(commands.press(press("Delete"), undefined)).toBe(false);
    expect(commands.run("five")).toBe(false);
    expect(done).toEqual([]);
  });

  it("goes by the user's own keys first", () => {
    const { registry: commands, done } = registry({ id: "one", keys: ["KeyA"] }, { id: "two", keys: ["KeyB"] });
    commands.chooseKeys({ two: "KeyA", one: "" });
    expect([commands.keysOf("one"), commands.keysOf("two")]).toEqual([[], ["KeyA"]]);
    commands.press(press("KeyA"), undefined);
    commands.chooseKeys({ two: "KeyA" });
    commands.press(press("KeyA"), undefined);
    expect(done).toEqual(["two", "two"]);
  });

  it("forgets commands that are taken back, and refuses a name twice", () => {
    const { registry: commands } = registry({ id: "one" });
    const again: Command = { id: "two", group: "show", label: () => "two", keys: ["KeyB"], run: () => undefined };
    const registration = commands.register(again);
    expect(() => commands.register(again)).toThrow("the command two is there already");
    registration[Symbol.dispose]();
    expect(commands.press(press("KeyB"), undefined)).toBe(false);
    expect(commands.run("two")).toBe(false);
  });
});

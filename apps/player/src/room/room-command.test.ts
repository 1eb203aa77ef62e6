import { describe, expect, it } from "vitest";
import { isTalkPress, roomCommandFor } from "./room-command.ts";

const press = (key: string, more: object = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  defaultPrevented: false,
  isComposing: false,
  ...more,
});
const focus = (tag: string, editable = false) => ({ tag, type: null, editable });

describe("the room's keys (RTC2)", () => {
  it.each([
    ["m", "toggle-microphone"],
    ["M", "toggle-microphone"],
    ["c", "toggle-camera"],
    ["?", "open-help"],
    ["Escape", "close-panel"],
    ["x", null],
  ])("%s", (key, command) => expect(roomCommandFor(press(key), null)).toBe(command));

  it("belong to what is typed into, to the browser and the system", () => {
    for (const tag of ["input", "textarea", "select"]) expect(roomCommandFor(press("m"), focus(tag))).toBeNull();
    expect(roomCommandFor(press("m"), focus("div", true))).toBeNull();
    expect(roomCommandFor(press("m"), focus("button"))).toBe("toggle-microphone");
    for (const modifier of ["ctrlKey", "metaKey", "altKey", "defaultPrevented", "isComposing"]) {
      expect(roomCommandFor(press("m", { [modifier]: true }), null)).toBeNull();
    }
    // Out of the messages, too.
    expect(roomCommandFor(press("Escape"), focus("textarea"))).toBe("close-panel");
  });

  it("space talks, but presses a button and writes a blank", () => {
    expect(isTalkPress(press(" "), null)).toBe(true);
    expect(isTalkPress(press(" "), focus("h2"))).toBe(true);
    for (const tag of ["button", "a", "textarea", "input"]) expect(isTalkPress(press(" "), focus(tag))).toBe(false);
    expect(isTalkPress(press("m"), null)).toBe(false);
  });
});

import { describe, expect, test } from "vitest";
import { rebind, unbind } from "./rebind.ts";

const keysOf = new Map([
  ["take", ["Space"]],
  ["cut", ["Enter"]],
  ["record", []],
]);

describe("keys of one's own (STU1)", () => {
  test("a command gets a free key", () => {
    expect(rebind({}, "record", "KeyR", keysOf)).toEqual({ keys: { record: "KeyR" }, loser: undefined });
  });

  test("a key that another command had is taken from it", () => {
    expect(rebind({ cut: "Enter" }, "record", "Space", keysOf)).toEqual({
      keys: { cut: "Enter", record: "Space", take: "" },
      loser: "take",
    });
  });

  test("a command may have none, or its own again", () => {
    expect(rebind({}, "take", "", keysOf)).toEqual({ keys: { take: "" }, loser: undefined });
    expect(unbind({ take: "", cut: "KeyC" }, "take")).toEqual({ cut: "KeyC" });
  });
});

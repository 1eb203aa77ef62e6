import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { StateFile } from "./state-file.ts";

test("what was written is read; what is not there, damaged or not to be written is no error (STU9)", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "klieg-state-"));
  try {
    const file = new StateFile(path.join(folder, "deep/window.json"));
    expect(file.read()).toBeUndefined();
    expect(file.write({ x: 1 })).toBe(true);
    expect(file.read()).toEqual({ x: 1 });
    writeFileSync(path.join(folder, "deep/window.json"), '{"x":');
    expect(file.read()).toBeUndefined();
    writeFileSync(path.join(folder, "file"), "");
    expect(new StateFile(path.join(folder, "file/window.json")).write({})).toBe(false);
    expect(readFileSync(path.join(folder, "file"), "utf8")).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

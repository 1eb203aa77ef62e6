import { expect, test } from "vitest";
import { missingPackagesInWords, SYSTEM_PACKAGES } from "./system-packages.ts";

test("what is missing is named with its use and the command that gets it", () => {
  const [first, second] = SYSTEM_PACKAGES;
  const words = missingPackagesInWords([first!, second!]);
  expect(words).toContain("ffmpeg    encoder, transcoder and prober");
  expect(words).toContain("sudo apt install ffmpeg chromium");
});

test("every package is named once", () => {
  const names = SYSTEM_PACKAGES.map(({ debian }) => debian);
  expect(new Set(names).size).toBe(names.length);
});

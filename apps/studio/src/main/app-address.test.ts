import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAppAddress, isLink, linkAmong } from "./app-address.ts";

describe("addresses of the app's scheme (STU9)", () => {
  test("its own page and files are told from everything that looks like them", () => {
    for (const own of ["klieg://studio/", "klieg://studio", "klieg://studio/assets/a1?x#y"]) {
      expect(isAppAddress(own), own).toBe(true);
    }
    for (const foreign of [
      "https://studio/",
      "klieg://studio.example/",
      "klieg://studio@evil.example/",
      "klieg://me@studio/",
      "klieg://studio:81/",
      "klieg:studio/",
      "klieg:///studio/",
      "file:///studio",
      "studio",
      "",
    ]) {
      expect(isAppAddress(foreign), foreign).toBe(false);
    }
  });

  test("a link among arguments is found, whatever else is there", () => {
    expect(linkAmong(["/opt/Klieg/klieg", "--flag", "klieg://room/abc#invite", "x"])).toBe("klieg://room/abc#invite");
    expect(linkAmong(["/opt/Klieg/klieg", "https://room/abc", "klieg://studio/"])).toBeUndefined();
    expect(linkAmong([`klieg://room/${"a".repeat(3000)}`])).toBeUndefined();
  });

  test("nothing is both, and nothing throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((rest) => `klieg://${rest}`),
        ),
        (text) => {
          expect(isAppAddress(text) && isLink(text)).toBe(false);
        },
      ),
    );
  });
});

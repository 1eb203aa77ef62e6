import { expect, test } from "vitest";
import { withMediaType } from "./media-type.ts";

test.each([
  ["show.MKV", "", "video/x-matroska"],
  ["tape.ts", "text/vnd.trolltech.linguist", "video/mp2t"],
  ["film.mp4", "video/mp4", "video/mp4"],
  ["notes.txt", "text/plain", "text/plain"],
  ["constructor", "", ""],
])("STU1: %s of type “%s” is taken as “%s”", (name, type, taken) => {
  const file = new File(["x"], name, { type });
  expect(withMediaType(file)).toMatchObject({ name, type: taken, size: 1 });
});

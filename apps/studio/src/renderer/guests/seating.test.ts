import { describe, expect, test } from "vitest";
import { addScene, addSource, changeItem, takeScene } from "../../document/edit.ts";
import { newDocument, type StudioDocument } from "../../document/studio-document.ts";
import { newSource } from "../sources/new-source.ts";
import { placingOf, seatFor } from "./seating.ts";

/** A show whose only scene has a seat. */
function withSeat(seat: number): StudioDocument {
  const document = newDocument("Scene");
  const guest = newSource(document, "guest");
  if (guest.kind !== "guest") throw new Error("not a guest");
  return addSource(document, { ...guest, seat }, document.preview);
}

describe("where guests sit (STU7)", () => {
  test("a seat that the scene shows comes first, then one that the show has, then the lowest", () => {
    const shown = withSeat(5);
    expect(seatFor(shown, new Set())).toBe(5);
    expect(seatFor(shown, new Set([5]))).toBe(1);
    const two = addScene(shown, "Two");
    const elsewhere = { ...two, preview: two.scenes[1]?.id ?? "" };
    expect(seatFor(elsewhere, new Set())).toBe(5);
    expect(seatFor(newDocument("Empty"), new Set([1, 2]))).toBe(3);
    expect(seatFor(shown, new Set(Array.from({ length: 16 }, (_, at) => at + 1)))).toBeUndefined();
  });

  test("a guest is backstage, on stage, in the program, or in a seat that nobody sees", () => {
    const shown = withSeat(5);
    expect(placingOf(shown, undefined)).toBe("backstage");
    expect(placingOf(shown, 5)).toBe("in_program");
    expect(placingOf(shown, 4)).toBe("not_in_scene");
    const two = addScene(shown, "Two");
    const other = takeScene({ ...two, preview: two.scenes[1]?.id ?? "" });
    expect(placingOf(other, 5)).toBe("on_stage");
    const item = shown.scenes[0]?.items[0]?.id ?? "";
    const hidden = changeItem(shown, shown.preview, item, (before) => ({ ...before, visible: false }));
    expect(placingOf(hidden, 5)).toBe("not_in_scene");
  });
});

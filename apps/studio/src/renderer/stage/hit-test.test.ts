import { describe, expect, it } from "vitest";
import type { Scene, SceneItem } from "../../document/scene.ts";
import { newDocument } from "../../document/studio-document.ts";
import { filling } from "../../document/transform.ts";
import { newSource } from "../sources/new-source.ts";
import { heldBy, itemsAt, nextBelow, seenItems } from "./hit-test.ts";

const item = (id: string, more: Partial<SceneItem> = {}): SceneItem => ({
  id,
  source: id,
  transform: filling({ width: 100, height: 100 }),
  visible: true,
  locked: false,
  opacity: 1,
  ...more,
});
const scene = (...items: SceneItem[]): Scene => ({ id: "scene", name: "Scene", items, transition: null });
const at = { x: 50, y: 50 };

describe("what is under the pointer (STU1)", () => {
  it("lists front to back what can be taken hold of", () => {
    const document = newDocument("One");
    const heard = { ...newSource(document, "microphone"), id: "heard" };
    const sources = ["back", "hidden", "locked", "front"].map((id) => ({ ...newSource(document, "colour"), id }));
    const items = [item("back"), item("hidden", { visible: false }), item("locked", { locked: true }), item("front")];
    const seen = seenItems(scene(...items, item("heard")), [...sources, heard]);
    expect(seen.map(({ id }) => id)).toEqual(["back", "locked", "front"]);
    expect(itemsAt(seen, at).map(({ id }) => id)).toEqual(["front", "back"]);
    expect(itemsAt(seen, { x: 101, y: 50 })).toEqual([]);
  });

  it("holds the selected item however deep, and goes on below with the next click, round and round", () => {
    const hits = itemsAt([item("back"), item("middle"), item("front")], at);
    expect(heldBy(hits, undefined)?.id).toBe("front");
    expect(heldBy(hits, "back")?.id).toBe("back");
    expect(nextBelow(hits, "front")?.id).toBe("middle");
    expect(nextBelow(hits, "back")?.id).toBe("front");
    expect(nextBelow([], "back")).toBeUndefined();
  });
});

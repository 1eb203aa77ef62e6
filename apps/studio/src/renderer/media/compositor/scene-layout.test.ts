import { describe, expect, test } from "vitest";
import type { SceneItem } from "../../../document/scene.ts";
import type { Source } from "../../../document/source.ts";
import { filling } from "../../../document/transform.ts";
import { layersOf } from "./scene-layout.ts";

const CANVAS = { width: 1280, height: 720 };
const image: Source = { id: "image", name: "Image", kind: "image", path: "a.png", filters: [] };
const colour: Source = { id: "colour", name: "Colour", kind: "colour", colour: "#ffffff", filters: [] };
const sources = new Map<string, Source>([image, colour].map((source) => [source.id, source]));

function item(source: string, more: Partial<SceneItem> = {}): SceneItem {
  return { id: "item", source, transform: filling(CANVAS), visible: true, locked: false, opacity: 1, ...more };
}

function layers(items: SceneItem[], size: { width: number; height: number } | undefined = { width: 400, height: 400 }) {
  return layersOf({ id: "scene", name: "Scene", items, transition: null }, sources, CANVAS, () => size);
}

describe("what of a scene is drawn (STU1)", () => {
  test("leaves out what nobody could see", () => {
    const beside = { ...filling(CANVAS), x: -700 };
    const items = [
      item("image", { visible: false }),
      item("image", { opacity: 0 }),
      item("image", { transform: beside }),
      item("nothing"),
    ];
    expect(layers(items)).toEqual([]);
    expect(layers([item("image")], { width: 0, height: 0 })).toEqual([]);
    // Turned by a right angle, the same box reaches less far to the side, and further once it is turned back.
    expect(layers([item("image", { transform: { ...beside, x: -600, rotation: 90 } })])).toEqual([]);
    expect(layers([item("image", { transform: { ...beside, x: -600 } })])).toHaveLength(1);
  });

  test("fits a picture into its box, and lets a colour fill it", () => {
    expect(layers([item("image")])).toMatchObject([{ x: 640, y: 360, width: 720, height: 720 }]);
    const [covering] = layers([item("image", { transform: { ...filling(CANVAS), fit: "cover" } })]);
    expect(covering).toMatchObject({ width: 1280, height: 720 });
    expect(covering?.part.top).toBeCloseTo((400 - 225) / 2 / 400);
    expect(layers([item("colour")], undefined)).toMatchObject([{ width: 1280, height: 720 }]);
  });

  test("keeps the order, back to front", () => {
    expect(layers([item("colour"), item("image")]).map(({ source }) => source.id)).toEqual(["colour", "image"]);
  });
});

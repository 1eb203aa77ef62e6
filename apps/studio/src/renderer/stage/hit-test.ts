import type { RecordId } from "../../document/identity.ts";
import type { Scene, SceneItem } from "../../document/scene.ts";
import { contains, type Point } from "../../document/transform.ts";

/** What can be taken hold of at a point of the canvas, front to back: hidden and locked items are passed through. */
export function itemsAt(scene: Scene, point: Point): SceneItem[] {
  return scene.items.filter((item) => item.visible && !item.locked && contains(item.transform, point)).reverse();
}

/** The item that a press takes hold of: the one selected where it is under the pointer, however deep, else the one in front. */
export function heldBy(hits: readonly SceneItem[], selected: RecordId | undefined): SceneItem | undefined {
  return hits.find(({ id }) => id === selected) ?? hits[0];
}

/** The item that a second click on the same place selects: the next one below, and after the last the one in front. */
export function nextBelow(hits: readonly SceneItem[], selected: RecordId | undefined): SceneItem | undefined {
  const at = hits.findIndex(({ id }) => id === selected);
  return hits[(at + 1) % Math.max(1, hits.length)];
}

import type { RecordId } from "../../document/identity.ts";
import type { Scene, SceneItem } from "../../document/scene.ts";
import { hasPicture, type Source } from "../../document/source.ts";
import { contains, type Point } from "../../document/transform.ts";

/** Items that can be seen, back to front: a microphone has a place in the scene, but none on the canvas. */
export function seenItems(scene: Scene, sources: readonly Source[]): SceneItem[] {
  const pictures = new Set(sources.filter(hasPicture).map(({ id }) => id));
  return scene.items.filter(({ visible, source }) => visible && pictures.has(source));
}

/** What can be taken hold of at a point of the canvas, front to back: locked items are passed through. */
export function itemsAt(seen: readonly SceneItem[], point: Point): SceneItem[] {
  return seen.filter((item) => !item.locked && contains(item.transform, point)).reverse();
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

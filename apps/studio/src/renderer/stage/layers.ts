import { sceneOf } from "../../document/edit.ts";
import type { RecordId } from "../../document/identity.ts";
import type { Scene, SceneItem } from "../../document/scene.ts";
import type { Source } from "../../document/source.ts";
import type { StudioDocument } from "../../document/studio-document.ts";

/** The scene that is worked on: the previewed one, which without preview is the one on air. */
export function workScene(document: StudioDocument): Scene {
  return sceneOf(document, document.preview);
}

export interface SelectedItem {
  readonly scene: Scene;
  readonly item: SceneItem;
  readonly source: Source;
}

/** The selected item with what belongs to it; undefined where none is selected, or it is not in the scene that is worked on. */
export function selectedItem(document: StudioDocument, selected: RecordId | undefined): SelectedItem | undefined {
  if (selected === undefined) return undefined;
  const scene = workScene(document);
  const item = scene.items.find(({ id }) => id === selected);
  const source = document.sources.find(({ id }) => id === item?.source);
  return item === undefined || source === undefined ? undefined : { scene, item, source };
}

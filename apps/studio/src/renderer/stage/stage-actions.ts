import { changeItem, removeItem, removeScene, sceneOf } from "../../document/edit.ts";
import type { RecordId } from "../../document/identity.ts";
import type { SceneItem, Transition } from "../../document/scene.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { Services } from "../services.ts";
import { strings } from "../strings.ts";
import { selectedItem } from "./layers.ts";

type Acting = Pick<Services, "show" | "stage" | "media" | "toasts">;

/** How a scene comes on air: as it says itself, else as the show does. */
export function transitionOf(document: StudioDocument, scene: RecordId): Transition {
  return sceneOf(document, scene).transition ?? document.transition;
}

/** Shows a scene: as preview where scenes are previewed, else on air. */
export function showScene({ show, stage, media }: Acting, scene: RecordId): void {
  if (!stage.getState().studioMode && show.document.program !== scene) {
    media.take(scene, transitionOf(show.document, scene));
    show.air(scene);
  } else show.preview(scene);
  stage.setState({ selected: undefined });
}

/** Puts the previewed scene on air. @param transition undefined: as the scene or the show says. */
export function takePreview({ show, stage, media }: Acting, transition?: Transition): void {
  const { program, preview } = show.document;
  if (program === preview) return;
  media.take(preview, transition ?? transitionOf(show.document, preview));
  show.take(true);
  stage.setState({ selected: undefined });
}

/** Switches previewing on or off; without it, what is on air is worked on. */
export function setStudioMode({ show, stage }: Acting, studioMode: boolean): void {
  stage.setState({ studioMode, selected: undefined });
  if (!studioMode) show.preview(show.document.program);
}

/** Undoes, and says what. */
export function undo({ show, toasts }: Acting): void {
  if (show.undo() === "on_air") toasts.show(strings.commands.undoOnAir, { tone: "bad" });
}

export function redo({ show, toasts }: Acting): void {
  if (show.redo() === "on_air") toasts.show(strings.commands.undoOnAir, { tone: "bad" });
}

/** Changes the selected item as one step. @param label takes the source's name. */
export function changeSelected(
  { show, stage }: Acting,
  label: (name: string) => string,
  change: (item: SceneItem) => SceneItem,
  gesture?: string,
): void {
  const selected = selectedItem(show.document, stage.getState().selected);
  if (selected === undefined) return;
  const { scene, item, source } = selected;
  show.change(label(source.name), (document) => changeItem(document, scene.id, item.id, change), gesture);
}

/** Takes an item out of the scene that is worked on, and offers to undo it. */
export function deleteItem(acting: Acting, itemId: RecordId): void {
  const { show, stage, toasts } = acting;
  const found = selectedItem(show.document, itemId);
  if (found === undefined) return;
  const { scene, item, source } = found;
  const at = scene.items.indexOf(item);
  show.change(strings.sources.steps.delete(source.name), (document) => removeItem(document, scene.id, item.id));
  if (stage.getState().selected === itemId) {
    const next = scene.items[at - 1] ?? scene.items[at + 1];
    stage.setState({ selected: next?.id });
  }
  toasts.show(strings.sources.deleted(source.name), { action: undoOf(acting) });
}

/** Deletes a scene, and offers to undo it; says why where it cannot be deleted. */
export function deleteScene(acting: Acting, id: RecordId): void {
  const { show, stage, toasts } = acting;
  const { document } = show;
  if (document.scenes.length === 1 || document.program === id) {
    toasts.show(document.scenes.length === 1 ? strings.scenes.lastStays : strings.scenes.onAirStays);
    return;
  }
  const { name } = sceneOf(document, id);
  show.change(strings.scenes.steps.delete, (before) => removeScene(before, id));
  stage.setState({ selected: undefined });
  toasts.show(strings.scenes.deleted(name), { action: undoOf(acting) });
}

/** The offer to undo what was just done: it does nothing once other things were done after it. */
function undoOf(acting: Acting): { label: string; run: () => void } {
  const { document } = acting.show;
  const step = acting.show.state.getState().undoLabel;
  return {
    label: strings.shell.undoAction,
    run: () => {
      const { scenes, sources } = acting.show.document;
      const untouched = scenes === document.scenes && sources === document.sources;
      if (untouched || acting.show.state.getState().undoLabel === step) undo(acting);
    },
  };
}

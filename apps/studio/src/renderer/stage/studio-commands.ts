import { addItem, addScene, changeItem, reorderItem } from "../../document/edit.ts";
import type { SceneItem } from "../../document/scene.ts";
import { hasPicture } from "../../document/source.ts";
import { filling, NO_CROP, normalisedRotation, type Transform } from "../../document/transform.ts";
import type { Command, CommandGroup } from "../commands/command-registry.ts";
import type { Services } from "../services.ts";
import { strings } from "../strings.ts";
import { settled, within } from "./drag.ts";
import { selectedItem, workScene } from "./layers.ts";
import { changeSelected, deleteItem, redo, setStudioMode, showScene, takePreview, undo } from "./stage-actions.ts";

type Acting = Pick<Services, "show" | "stage" | "media" | "toasts">;

const SCENE_KEYS = 8;
const ZOOM_STEPS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4];
const NUDGES = {
  left: { dx: -1, dy: 0, key: "ArrowLeft" },
  right: { dx: 1, dy: 0, key: "ArrowRight" },
  up: { dx: 0, dy: -1, key: "ArrowUp" },
  down: { dx: 0, dy: 1, key: "ArrowDown" },
} as const;

/** Everything that the stage, its scenes and sources can be told to do. */
export function studioCommands(acting: Acting): Command[] {
  return [...showCommands(acting), ...sceneCommands(acting), ...stageCommands(acting), ...itemCommands(acting)];
}

function showCommands(acting: Acting): Command[] {
  const { show, stage } = acting;
  const words = strings.commands;
  return [
    {
      id: "show.undo",
      group: "show",
      keys: ["Control+KeyZ"],
      label: () => {
        const { undoLabel } = show.state.getState();
        return undoLabel === undefined ? words.undo : words.undoWhat(undoLabel);
      },
      enabled: () => show.state.getState().undoLabel !== undefined,
      run: () => undo(acting),
    },
    {
      id: "show.redo",
      group: "show",
      keys: ["Control+Shift+KeyZ", "Control+KeyY"],
      label: () => {
        const { redoLabel } = show.state.getState();
        return redoLabel === undefined ? words.redo : words.redoWhat(redoLabel);
      },
      enabled: () => show.state.getState().redoLabel !== undefined,
      run: () => redo(acting),
    },
    {
      id: "source.add",
      group: "show",
      keys: ["KeyA"],
      label: () => words.addSource,
      run: () => stage.setState({ dialog: "add_source", adding: undefined }),
    },
    {
      id: "window.help",
      group: "window",
      keys: ["Shift+Slash", "F12"],
      label: () => words.openHelp,
      run: () => stage.setState({ dialog: "help" }),
    },
  ];
}

function sceneCommands(acting: Acting): Command[] {
  const { show, stage } = acting;
  const words = strings.commands;
  const step = (by: number) => () => {
    const { scenes, preview } = show.document;
    const at = scenes.findIndex(({ id }) => id === preview);
    const next = scenes[(at + by + scenes.length) % scenes.length];
    if (next !== undefined) showScene(acting, next.id);
  };
  const several = () => show.document.scenes.length > 1;
  return [
    ...Array.from(
      { length: SCENE_KEYS },
      (_, at): Command => ({
        id: `scene.${at + 1}`,
        group: "scenes",
        keys: [`F${at + 1}`],
        label: () => show.document.scenes[at]?.name ?? words.scene(at + 1),
        enabled: () => show.document.scenes[at] !== undefined,
        run: () => {
          const scene = show.document.scenes[at];
          if (scene !== undefined) showScene(acting, scene.id);
        },
      }),
    ),
    {
      id: "scene.previous",
      group: "scenes",
      keys: ["PageUp"],
      label: () => words.previousScene,
      enabled: several,
      run: step(-1),
    },
    {
      id: "scene.next",
      group: "scenes",
      keys: ["PageDown"],
      label: () => words.nextScene,
      enabled: several,
      run: step(1),
    },
    {
      id: "scene.add",
      group: "scenes",
      keys: ["Control+Shift+KeyN"],
      label: () => words.addScene,
      enabled: () => show.document.scenes.length < 100,
      run: () => addNewScene(acting),
    },
    {
      id: "stage.take",
      group: "scenes",
      keys: ["Enter"],
      label: () => words.take,
      enabled: () => stage.getState().studioMode && show.document.program !== show.document.preview,
      run: () => takePreview(acting),
    },
    {
      id: "stage.cut",
      group: "scenes",
      keys: ["Shift+Enter"],
      label: () => words.cut,
      enabled: () => stage.getState().studioMode && show.document.program !== show.document.preview,
      run: () => takePreview(acting, { kind: "cut" }),
    },
    {
      id: "stage.studio_mode",
      group: "scenes",
      keys: ["KeyP"],
      label: () => words.studioMode,
      run: () => setStudioMode(acting, !stage.getState().studioMode),
    },
  ];
}

/** Adds an empty scene and works on it: on air only where scenes are not previewed and it is asked for by hand. */
export function addNewScene(acting: Acting): void {
  const { show, stage } = acting;
  const names = new Set(show.document.scenes.map(({ name }) => name));
  let number = show.document.scenes.length + 1;
  while (names.has(strings.scenes.nextName(number))) number += 1;
  show.change(strings.scenes.steps.add, (document) => addScene(document, strings.scenes.nextName(number)));
  const added = show.document.scenes.at(-1);
  if (added === undefined) return;
  if (stage.getState().studioMode) showScene(acting, added.id);
  stage.setState({ renaming: added.id });
}

function stageCommands({ stage, show }: Acting): Command[] {
  const words = strings.commands;
  const zoom = (direction: 1 | -1) => () => {
    const { zoom: now } = stage.getState();
    const from = now === "fit" ? 1 : now;
    const next = direction === 1 ? ZOOM_STEPS.find((step) => step > from) : ZOOM_STEPS.findLast((step) => step < from);
    if (next !== undefined) stage.setState({ zoom: next });
  };
  const select = (by: number) => () => {
    const { items } = workScene(show.document);
    const at = items.findIndex(({ id }) => id === stage.getState().selected);
    // Front to back, as the list has them; begins in front.
    const next = at === -1 ? items.length - 1 : (at - by + items.length) % items.length;
    stage.setState({ selected: items[next]?.id });
  };
  const some = () => workScene(show.document).items.length > 0;
  return [
    { id: "stage.zoom_in", group: "stage", keys: ["Control+Equal"], label: () => words.zoomIn, run: zoom(1) },
    { id: "stage.zoom_out", group: "stage", keys: ["Control+Minus"], label: () => words.zoomOut, run: zoom(-1) },
    {
      id: "stage.zoom_fit",
      group: "stage",
      keys: ["Control+Digit0"],
      label: () => words.zoomFit,
      run: () => stage.setState({ zoom: "fit" }),
    },
    {
      id: "stage.select_next",
      group: "stage",
      keys: ["Period"],
      label: () => words.selectNext,
      enabled: some,
      run: select(1),
    },
    {
      id: "stage.select_previous",
      group: "stage",
      keys: ["Comma"],
      label: () => words.selectPrevious,
      enabled: some,
      run: select(-1),
    },
    {
      id: "stage.deselect",
      group: "stage",
      keys: ["Escape"],
      label: () => words.deselect,
      enabled: () => stage.getState().selected !== undefined,
      run: () => stage.setState({ selected: undefined }),
    },
  ];
}

function itemCommands(acting: Acting): Command[] {
  const { show, stage, media } = acting;
  const words = strings.commands;
  const steps = strings.sources.steps;
  const group: CommandGroup = "item";
  const selected = () => selectedItem(show.document, stage.getState().selected);
  const free = () => {
    const found = selected();
    return found !== undefined && !found.item.locked && hasPicture(found.source);
  };
  const is = () => selected() !== undefined;

  const place = (change: (box: Transform, item: SceneItem) => Transform, gesture?: string) => () =>
    changeSelected(
      acting,
      steps.transform,
      (item) => ({ ...item, transform: within(change(item.transform, item)) }),
      gesture,
    );
  const order = (to: (at: number, count: number) => number) => () => {
    const found = selected();
    if (found === undefined) return;
    const { scene, item, source } = found;
    const index = to(scene.items.indexOf(item), scene.items.length);
    show.change(steps.order(source.name), (document) => reorderItem(document, scene.id, item.id, index));
  };
  const toggle = (key: "visible" | "locked", on: (name: string) => string, off: (name: string) => string) => () => {
    const found = selected();
    if (found === undefined) return;
    changeSelected(acting, found.item[key] ? off : on, (item) => ({ ...item, [key]: !item[key] }));
  };
  const actualSize = (box: Transform, item: SceneItem): Transform => {
    const capture = media.captures.get(item.source);
    if (capture === undefined || capture.width === 0) return box;
    const { left, right, top, bottom } = box.crop;
    return settled({
      ...box,
      width: capture.width * (1 - left - right),
      height: capture.height * (1 - top - bottom),
    });
  };

  const nudges = Object.entries(NUDGES).flatMap(([direction, { dx, dy, key }]): Command[] => {
    const name = direction as keyof typeof NUDGES;
    const by = (far: number) =>
      place((box) => ({ ...box, x: box.x + dx * far, y: box.y + dy * far }), `nudge ${stage.getState().selected}`);
    return [
      {
        id: `item.nudge_${name}`,
        group,
        keys: [key],
        label: () => words.nudge[name],
        enabled: free,
        run: () => by(1)(),
      },
      {
        id: `item.nudge_${name}_far`,
        group,
        keys: [`Shift+${key}`],
        label: () => words.nudgeFar[name],
        enabled: free,
        run: () => by(10)(),
      },
    ];
  });

  return [
    {
      id: "item.rename",
      group,
      keys: ["F9"],
      label: () => words.renameItem,
      enabled: is,
      run: () => stage.setState({ renaming: stage.getState().selected }),
    },
    {
      id: "item.duplicate",
      group,
      keys: ["Control+KeyD"],
      label: () => words.duplicateItem,
      enabled: is,
      run: () => duplicateSelected(acting),
    },
    {
      id: "item.visible",
      group,
      keys: ["KeyH"],
      label: () => words.toggleVisible,
      enabled: is,
      run: toggle("visible", steps.show, steps.hide),
    },
    {
      id: "item.lock",
      group,
      keys: ["KeyL"],
      label: () => words.toggleLocked,
      enabled: is,
      run: toggle("locked", steps.lock, steps.unlock),
    },
    {
      id: "item.forward",
      group,
      keys: ["BracketRight"],
      label: () => words.bringForward,
      enabled: is,
      run: order((at) => at + 1),
    },
    {
      id: "item.backward",
      group,
      keys: ["BracketLeft"],
      label: () => words.sendBackward,
      enabled: is,
      run: order((at) => at - 1),
    },
    {
      id: "item.to_front",
      group,
      keys: ["Shift+BracketRight"],
      label: () => words.bringToFront,
      enabled: is,
      run: order((_, count) => count - 1),
    },
    {
      id: "item.to_back",
      group,
      keys: ["Shift+BracketLeft"],
      label: () => words.sendToBack,
      enabled: is,
      run: order(() => 0),
    },
    {
      id: "item.fill",
      group,
      keys: ["KeyF"],
      label: () => words.fillCanvas,
      enabled: free,
      run: place((box) => {
        const { x, y, width, height } = filling(show.document.canvas);
        return { ...box, x, y, width, height, rotation: 0 };
      }),
    },
    {
      id: "item.centre",
      group,
      keys: ["KeyC"],
      label: () => words.centre,
      enabled: free,
      run: place((box) => ({ ...box, x: show.document.canvas.width / 2, y: show.document.canvas.height / 2 })),
    },
    {
      id: "item.actual_size",
      group,
      keys: ["Digit1"],
      label: () => words.actualSize,
      enabled: free,
      run: place(actualSize),
    },
    {
      id: "item.mirror",
      group,
      keys: ["KeyM"],
      label: () => words.mirror,
      enabled: free,
      run: place((box) => ({ ...box, mirrored: !box.mirrored })),
    },
    {
      id: "item.rotate_left",
      group,
      label: () => words.rotateLeft,
      enabled: free,
      run: place((box) => ({ ...box, rotation: normalisedRotation(box.rotation - 90) })),
    },
    {
      id: "item.rotate_right",
      group,
      keys: ["KeyR"],
      label: () => words.rotateRight,
      enabled: free,
      run: place((box) => ({ ...box, rotation: normalisedRotation(box.rotation + 90) })),
    },
    {
      id: "item.reset",
      group,
      label: () => words.resetTransform,
      enabled: free,
      run: place((box) => ({ ...filling(show.document.canvas), fit: box.fit, crop: NO_CROP })),
    },
    {
      id: "item.delete",
      group,
      keys: ["Delete", "Backspace"],
      label: () => words.deleteItem,
      enabled: is,
      run: () => {
        const { selected: id } = stage.getState();
        if (id !== undefined) deleteItem(acting, id);
      },
    },
    ...nudges,
  ];
}

/** The same source once more in the scene, a little aside. */
function duplicateSelected({ show, stage }: Acting): void {
  const found = selectedItem(show.document, stage.getState().selected);
  if (found === undefined) return;
  const { scene, item, source } = found;
  const aside = within({ ...item.transform, x: item.transform.x + 24, y: item.transform.y + 24 });
  show.change(strings.sources.steps.duplicate(source.name), (document) => {
    const added = addItem(document, scene.id, source.id, aside);
    const copy = added.scenes.find(({ id }) => id === scene.id)?.items.at(-1);
    if (copy === undefined) return added;
    return changeItem(added, scene.id, copy.id, (now) => ({ ...now, opacity: item.opacity }));
  });
  stage.setState({ selected: workScene(show.document).items.at(-1)?.id });
}

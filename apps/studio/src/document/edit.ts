import { newId, type RecordId } from "./identity.ts";
import type { Scene, SceneItem } from "./scene.ts";
import { canBeIsolated, type Source } from "./source.ts";
import { MAX_ISOLATED, type StudioDocument } from "./studio-document.ts";
import { filling, type Transform } from "./transform.ts";

// Every edit returns a new document that shares what it did not change, or the very same one where there is nothing to
// do. None leaves a document that its own schema would refuse.

/** What an edit asked for is not there; the caller's mistake. */
export class EditError extends Error {
  override readonly name = "EditError";
}

export function sceneOf(document: StudioDocument, id: RecordId): Scene {
  const scene = document.scenes.find((candidate) => candidate.id === id);
  if (scene === undefined) throw new EditError(`there is no scene ${id}`);
  return scene;
}

export function sourceOf(document: StudioDocument, id: RecordId): Source {
  const source = document.sources.find((candidate) => candidate.id === id);
  if (source === undefined) throw new EditError(`there is no source ${id}`);
  return source;
}

/** Adds a source and puts it in front in a scene, filling the canvas. @throws {EditError} where there is no such scene. */
export function addSource(document: StudioDocument, source: Source, sceneId: RecordId): StudioDocument {
  const withSource = { ...document, sources: [...document.sources, source] };
  return addItem(withSource, sceneId, source.id);
}

/** Puts a source that is there in front in a scene. @throws {EditError} where either is not there. */
export function addItem(
  document: StudioDocument,
  sceneId: RecordId,
  sourceId: RecordId,
  transform: Transform = filling(document.canvas),
): StudioDocument {
  sourceOf(document, sourceId);
  const item: SceneItem = { id: newId(), source: sourceId, transform, visible: true, locked: false, opacity: 1 };
  return changeScene(document, sceneId, (scene) => ({ ...scene, items: [...scene.items, item] }));
}

/** Changes a source's settings; its id and kind stay. @throws {EditError} where there is no such source. */
export function changeSource(
  document: StudioDocument,
  id: RecordId,
  change: (source: Source) => Source,
): StudioDocument {
  const before = sourceOf(document, id);
  const after = change(before);
  if (after === before) return document;
  if (after.id !== before.id || after.kind !== before.kind) throw new EditError("a source keeps its id and kind");
  return { ...document, sources: document.sources.map((source) => (source === before ? after : source)) };
}

/** Removes a source from every scene and from the document. @throws {EditError} where there is no such source. */
export function removeSource(document: StudioDocument, id: RecordId): StudioDocument {
  sourceOf(document, id);
  return {
    ...document,
    sources: document.sources.filter((source) => source.id !== id),
    isolated: document.isolated.filter((source) => source !== id),
    scenes: document.scenes.map((scene) =>
      scene.items.some((item) => item.source === id)
        ? { ...scene, items: scene.items.filter((item) => item.source !== id) }
        : scene,
    ),
  };
}

/**
 * Chooses whether a source is recorded by itself, too.
 * @throws {EditError} where there is no such source, it cannot be, or as many are chosen as may be.
 */
export function isolateSource(document: StudioDocument, id: RecordId, isolated: boolean): StudioDocument {
  if (!canBeIsolated(sourceOf(document, id))) throw new EditError("it is made by the studio, and can be made again");
  if (document.isolated.includes(id) === isolated) return document;
  if (!isolated) return { ...document, isolated: document.isolated.filter((source) => source !== id) };
  if (document.isolated.length >= MAX_ISOLATED) throw new EditError("as many sources as may be are recorded already");
  return { ...document, isolated: [...document.isolated, id] };
}

/** Takes an item out of its scene; its source goes too where no other scene shows it. */
export function removeItem(document: StudioDocument, sceneId: RecordId, itemId: RecordId): StudioDocument {
  const item = itemOf(sceneOf(document, sceneId), itemId);
  const without = changeScene(document, sceneId, (scene) => ({
    ...scene,
    items: scene.items.filter((candidate) => candidate !== item),
  }));
  const stillShown = without.scenes.some((scene) => scene.items.some(({ source }) => source === item.source));
  return stillShown ? without : removeSource(without, item.source);
}

/** Changes an item; its id and source stay. @throws {EditError} where it is not there. */
export function changeItem(
  document: StudioDocument,
  sceneId: RecordId,
  itemId: RecordId,
  change: (item: SceneItem) => SceneItem,
): StudioDocument {
  const before = itemOf(sceneOf(document, sceneId), itemId);
  const after = change(before);
  if (after === before) return document;
  if (after.id !== before.id || after.source !== before.source) throw new EditError("an item keeps its id and source");
  return changeScene(document, sceneId, (scene) => ({
    ...scene,
    items: scene.items.map((item) => (item === before ? after : item)),
  }));
}

/** Puts an item at `index` of its scene, 0 being furthest back; beyond the ends is at the end. */
export function reorderItem(
  document: StudioDocument,
  sceneId: RecordId,
  itemId: RecordId,
  index: number,
): StudioDocument {
  return changeScene(document, sceneId, (scene) => {
    const item = itemOf(scene, itemId);
    const from = scene.items.indexOf(item);
    const to = Math.max(0, Math.min(scene.items.length - 1, index));
    if (from === to) return scene;
    return { ...scene, items: scene.items.toSpliced(from, 1).toSpliced(to, 0, item) };
  });
}

/** Adds an empty scene at the end. */
export function addScene(document: StudioDocument, name: string): StudioDocument {
  return { ...document, scenes: [...document.scenes, { id: newId(), name, items: [], transition: null }] };
}

/** Adds a copy of a scene behind it; both show the same sources. */
export function duplicateScene(document: StudioDocument, id: RecordId, name: string): StudioDocument {
  const original = sceneOf(document, id);
  const copy: Scene = {
    ...original,
    id: newId(),
    name,
    items: original.items.map((item) => ({ ...item, id: newId() })),
  };
  return { ...document, scenes: document.scenes.toSpliced(document.scenes.indexOf(original) + 1, 0, copy) };
}

/**
 * Removes a scene, and the sources that only it showed. What is on air cannot be removed, nor the last scene.
 * @throws {EditError} then, and where there is no such scene.
 */
export function removeScene(document: StudioDocument, id: RecordId): StudioDocument {
  const scene = sceneOf(document, id);
  if (document.scenes.length === 1) throw new EditError("the last scene stays");
  if (document.program === id) throw new EditError("the scene is on air");
  const scenes = document.scenes.filter((candidate) => candidate !== scene);
  const shown = new Set(scenes.flatMap(({ items }) => items.map(({ source }) => source)));
  const lost = new Set(scene.items.map(({ source }) => source).filter((source) => !shown.has(source)));
  return {
    ...document,
    scenes,
    sources: document.sources.filter((source) => !lost.has(source.id)),
    preview: document.preview === id ? document.program : document.preview,
  };
}

/** Changes a scene's name or transition. */
export function changeSceneSettings(
  document: StudioDocument,
  id: RecordId,
  settings: Partial<Pick<Scene, "name" | "transition">>,
): StudioDocument {
  return changeScene(document, id, (scene) => ({ ...scene, ...settings }));
}

/** Puts a scene at `index` of the list; beyond the ends is at the end. @throws {EditError} where there is no such scene. */
export function reorderScene(document: StudioDocument, id: RecordId, index: number): StudioDocument {
  const scene = sceneOf(document, id);
  const from = document.scenes.indexOf(scene);
  const to = Math.max(0, Math.min(document.scenes.length - 1, index));
  return from === to ? document : { ...document, scenes: document.scenes.toSpliced(from, 1).toSpliced(to, 0, scene) };
}

/** Makes a scene the one that comes next. */
export function previewScene(document: StudioDocument, id: RecordId): StudioDocument {
  sceneOf(document, id);
  return document.preview === id ? document : { ...document, preview: id };
}

/** Puts the previewed scene on air; what was on air is previewed then. */
export function takeScene(document: StudioDocument): StudioDocument {
  const { program, preview } = document;
  return program === preview ? document : { ...document, program: preview, preview: program };
}

function changeScene(document: StudioDocument, id: RecordId, change: (scene: Scene) => Scene): StudioDocument {
  const before = sceneOf(document, id);
  const after = change(before);
  if (after === before) return document;
  return { ...document, scenes: document.scenes.map((scene) => (scene === before ? after : scene)) };
}

function itemOf(scene: Scene, id: RecordId): SceneItem {
  const item = scene.items.find((candidate) => candidate.id === id);
  if (item === undefined) throw new EditError(`there is no item ${id}`);
  return item;
}

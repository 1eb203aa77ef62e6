import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addItem,
  addScene,
  addSource,
  changeItem,
  changeSource,
  duplicateScene,
  EditError,
  isolateSource,
  previewScene,
  removeItem,
  removeScene,
  removeSource,
  reorderItem,
  reorderScene,
  sceneOf,
  takeScene,
} from "./edit.ts";
import { newId } from "./identity.ts";
import { DEFAULT_AUDIO, type Source } from "./source.ts";
import { MAX_ISOLATED, newDocument, StudioDocument } from "./studio-document.ts";

function colour(name: string): Source {
  return { id: newId(), name, kind: "colour", colour: "#ffaa00", filters: [] };
}

function microphone(name: string): Source {
  const device = { id: "", label: "" };
  return { id: newId(), name, kind: "microphone", device, echo_cancellation: false, audio: DEFAULT_AUDIO };
}

describe("STU1: edits of a show", () => {
  it("put a new source in front, filling the canvas", () => {
    let show = newDocument("Main");
    show = addSource(show, colour("back"), show.program);
    show = addSource(show, colour("front"), show.program);
    const { items } = sceneOf(show, show.program);
    expect(items.map(({ source }) => show.sources.find(({ id }) => id === source)?.name)).toEqual(["back", "front"]);
    expect(items[1]?.transform).toMatchObject({ x: 640, y: 360, width: 1280, height: 720, rotation: 0 });
  });

  it("reorder, and stop at the ends", () => {
    let show = newDocument("Main");
    for (const name of ["a", "b", "c"]) show = addSource(show, colour(name), show.program);
    const names = () =>
      sceneOf(show, show.program).items.map(({ source }) => show.sources.find(({ id }) => id === source)?.name);
    const first = sceneOf(show, show.program).items[0]?.id ?? "";
    show = reorderItem(show, show.program, first, 1);
    expect(names()).toEqual(["b", "a", "c"]);
    show = reorderItem(show, show.program, first, 99);
    expect(names()).toEqual(["b", "c", "a"]);
    expect(reorderItem(show, show.program, first, 2)).toBe(show);
  });

  it("keep a source as long as a scene shows it", () => {
    let show = newDocument("Main");
    const source = colour("shared");
    show = addSource(show, source, show.program);
    show = addScene(show, "Second");
    const second = show.scenes[1]?.id ?? "";
    show = addItem(show, second, source.id);
    show = removeItem(show, second, sceneOf(show, second).items[0]?.id ?? "");
    expect(show.sources).toEqual([source]);
    show = removeItem(show, show.program, sceneOf(show, show.program).items[0]?.id ?? "");
    expect(show.sources).toEqual([]);
  });

  it("do not remove what is on air, nor the last scene", () => {
    let show = newDocument("Main");
    expect(() => removeScene(show, show.program)).toThrow(EditError);
    show = duplicateScene(show, show.program, "Copy");
    expect(() => removeScene(show, show.program)).toThrow("on air");
    const copy = show.scenes[1]?.id ?? "";
    show = previewScene(show, copy);
    const without = removeScene(show, copy);
    expect(without.preview).toBe(without.program);
    const taken = takeScene(show);
    expect(taken).toMatchObject({ program: copy, preview: show.program });
  });

  it("share what they do not change", () => {
    let show = newDocument("Main");
    show = addSource(show, colour("a"), show.program);
    const source = show.sources[0]?.id ?? "";
    expect(changeSource(show, source, (same) => same)).toBe(show);
    const renamed = changeSource(show, source, (before) => ({ ...before, name: "A" }));
    expect(renamed.scenes).toBe(show.scenes);
    expect(() => changeSource(show, source, (before) => ({ ...before, id: "other" }))).toThrow(EditError);
  });

  it("choose which sources are recorded by themselves, as many as may be (STU8)", () => {
    let show = newDocument("Main");
    const microphones = Array.from({ length: MAX_ISOLATED + 1 }, (_, i) => microphone(`voice ${i}`));
    for (const source of [...microphones, colour("back")]) show = addSource(show, source, show.program);
    const [first, ...others] = microphones.map(({ id }) => id) as [string, ...string[]];
    for (const id of others) show = isolateSource(show, id, true);
    expect(StudioDocument.parse(show).isolated).toEqual(others);
    expect(isolateSource(show, others[0] as string, true)).toBe(show);
    expect(() => isolateSource(show, first, true)).toThrow(EditError);
    expect(() => isolateSource(show, show.sources.at(-1)?.id as string, true)).toThrow(EditError);
    show = removeSource(isolateSource(show, others[0] as string, false), others[1] as string);
    expect(StudioDocument.parse(show).isolated).toEqual(others.slice(2));
    // A show of before there was such a thing.
    const { isolated: _, ...old } = show;
    expect(StudioDocument.parse(old).isolated).toEqual([]);
    expect(StudioDocument.safeParse({ ...show, isolated: ["nobody"] }).success).toBe(false);
  });

  it("never leave a document that its schema refuses", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(8), fc.nat(9), fc.nat(9)), { maxLength: 40 }), (script) => {
        let show = newDocument("Main");
        for (const [what, i, j] of script) {
          const scene = show.scenes[i % show.scenes.length]?.id ?? "";
          const source = show.sources[j % Math.max(1, show.sources.length)]?.id;
          const { items } = sceneOf(show, scene);
          const item = items[j % Math.max(1, items.length)]?.id;
          try {
            if (what === 0) show = addSource(show, colour(`c${i}`), scene);
            else if (what === 1 && source !== undefined) show = addItem(show, scene, source);
            else if (what === 2 && source !== undefined) show = removeSource(show, source);
            else if (what === 3 && item !== undefined) show = removeItem(show, scene, item);
            else if (what === 4 && item !== undefined) show = reorderItem(show, scene, item, j);
            else if (what === 5) show = addScene(show, "More");
            else if (what === 6) show = duplicateScene(show, scene, "Copy");
            else if (what === 7) show = takeScene(previewScene(show, scene));
            else if (what === 8 && j % 2 === 0) show = removeScene(show, scene);
            else if (item !== undefined)
              show = changeItem(show, scene, item, (was) => ({ ...was, visible: !was.visible }));
          } catch (error) {
            expect(error).toBeInstanceOf(EditError);
          }
        }
        expect(StudioDocument.safeParse(show).error).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it("puts scenes in another order, and leaves a document alone where there is nothing to do", () => {
    const show = addScene(addScene(newDocument("One"), "Two"), "Three");
    const names = (document: StudioDocument) => document.scenes.map(({ name }) => name);
    const [first] = show.scenes;
    if (first === undefined) throw new Error("there is always a scene");
    expect(names(reorderScene(show, first.id, 1))).toEqual(["Two", "One", "Three"]);
    expect(names(reorderScene(show, first.id, 99))).toEqual(["Two", "Three", "One"]);
    expect(reorderScene(show, first.id, -1)).toBe(show);
    expect(() => reorderScene(show, "none", 0)).toThrow(EditError);
  });
});

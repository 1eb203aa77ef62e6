import { z } from "zod";
import { Canvas, DEFAULT_CANVAS } from "./canvas.ts";
import { Destination } from "./destination.ts";
import { DEFAULT_ENCODING, Encoding } from "./encoding.ts";
import { newId, RecordId } from "./identity.ts";
import { DEFAULT_TRANSITION, Scene, Transition } from "./scene.ts";
import { Source } from "./source.ts";

/** The version that {@link StudioDocument} describes; documents of older ones are migrated. */
export const DOCUMENT_VERSION = 1;

/** Each takes an encoder, and room on the disk. */
export const MAX_ISOLATED = 8;

/** All that a show is made of, as it is saved. */
export const StudioDocument = z
  .strictObject({
    version: z.literal(DOCUMENT_VERSION),
    canvas: Canvas,
    encoding: Encoding,
    /** Of scenes that name none of their own. */
    transition: Transition,
    sources: z.array(Source).max(200),
    /** In the order in which they are listed; there is always one. */
    scenes: z.array(Scene).min(1).max(100),
    destinations: z.array(Destination).max(20),
    /** Sources that are recorded by themselves, too, while the program is. */
    isolated: z.array(RecordId).max(MAX_ISOLATED).default([]),
    /** The scene that is on air, or would be. */
    program: RecordId,
    /** The scene that is worked on and comes next; the same as `program` where there is no preview. */
    preview: RecordId,
  })
  .superRefine((document, context) => {
    const complain = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    const ids = new Set<string>();
    const once = (id: string, path: (string | number)[]) => {
      if (ids.has(id)) complain(path, `the id ${id} is used twice`);
      ids.add(id);
    };
    const sources = new Set(document.sources.map(({ id }) => id));
    for (const [i, source] of document.sources.entries()) {
      once(source.id, ["sources", i, "id"]);
      if ("filters" in source) for (const filter of source.filters) once(filter.id, ["sources", i, "filters"]);
      if ("audio" in source) for (const filter of source.audio.filters) once(filter.id, ["sources", i, "audio"]);
    }
    for (const [i, scene] of document.scenes.entries()) {
      once(scene.id, ["scenes", i, "id"]);
      for (const [j, item] of scene.items.entries()) {
        once(item.id, ["scenes", i, "items", j, "id"]);
        if (!sources.has(item.source)) complain(["scenes", i, "items", j, "source"], "there is no such source");
      }
    }
    for (const [i, id] of document.isolated.entries()) {
      if (!sources.has(id)) complain(["isolated", i], "there is no such source");
    }
    for (const [i, destination] of document.destinations.entries()) once(destination.id, ["destinations", i, "id"]);
    for (const name of ["program", "preview"] as const) {
      if (!document.scenes.some(({ id }) => id === document[name])) complain([name], "there is no such scene");
    }
  });
export type StudioDocument = z.infer<typeof StudioDocument>;

/** What a new show begins with: one empty scene. @param sceneName in the user's language. */
export function newDocument(sceneName: string): StudioDocument {
  const scene = { id: newId(), name: sceneName, items: [], transition: null };
  return {
    version: DOCUMENT_VERSION,
    canvas: DEFAULT_CANVAS,
    encoding: DEFAULT_ENCODING,
    transition: DEFAULT_TRANSITION,
    sources: [],
    scenes: [scene],
    destinations: [],
    isolated: [],
    program: scene.id,
    preview: scene.id,
  };
}

import { expect, it } from "vitest";
import { addItem, addSource } from "../../../document/edit.ts";
import { newId } from "../../../document/identity.ts";
import type { Scene } from "../../../document/scene.ts";
import { DEFAULT_AUDIO, type Source } from "../../../document/source.ts";
import { newDocument, StudioDocument } from "../../../document/studio-document.ts";
import { stripSettings } from "./strip-settings.ts";

type Audio = Partial<typeof DEFAULT_AUDIO>;

/** A show whose first scene has "voice" and a picture, and whose second has "music", and "both" as the first has. */
function show(voice: Audio = {}, music: Audio = {}): { document: StudioDocument; ids: Record<string, string> } {
  const ids = { voice: newId(), music: newId(), both: newId(), picture: newId() };
  const microphone = (id: string, name: string, audio: Audio): Source => ({
    ...({ id, name, kind: "microphone", device: { id: "", label: "" }, echo_cancellation: false } as const),
    audio: { ...DEFAULT_AUDIO, ...audio },
  });
  const first = newDocument("First");
  const second: Scene = {
    id: newId(),
    name: "Second",
    items: [],
    transition: { kind: "slide", duration: 700, from: "left" },
  };
  let document: StudioDocument = { ...first, scenes: [...first.scenes, second] };
  document = addSource(document, microphone(ids.voice, "voice", voice), first.program);
  document = addSource(
    document,
    { id: ids.picture, name: "p", kind: "colour", colour: "#000000", filters: [] },
    first.program,
  );
  document = addSource(document, microphone(ids.music, "music", music), second.id);
  document = addSource(document, microphone(ids.both, "both", {}), first.program);
  document = addItem(document, second.id, ids.both);
  return { document: StudioDocument.parse(document), ids };
}

/** Names of the sources that the program has, and that the operator hears. */
function heard({ document, ids }: ReturnType<typeof show>): { program: string[]; monitor: string[] } {
  const settings = stripSettings(document);
  const named = (of: "inProgram" | "inMonitor") =>
    Object.keys(ids).filter((name) => settings.get(ids[name] as string)?.[of] === true);
  return { program: named("inProgram"), monitor: named("inMonitor") };
}

it("has in the program what its scene shows and is not muted (STU2)", () => {
  const { document, ids } = show();
  expect(heard({ document, ids }).program).toEqual(["voice", "both"]);
  expect(stripSettings(document).has(ids.picture as string)).toBe(false);
  const second = document.scenes[1]?.id as string;
  const after = { ...document, program: second };
  expect(heard({ document: after, ids }).program).toEqual(["music", "both"]);
  expect(stripSettings(after).get(ids.voice as string)?.fade).toBe(700);
  expect(heard(show({ muted: true })).program).toEqual(["both"]);
  const hidden = {
    ...document,
    scenes: document.scenes.map((scene) => ({
      ...scene,
      items: scene.items.map((item) => ({ ...item, visible: false })),
    })),
  };
  expect(heard({ document: hidden, ids }).program).toEqual([]);
});

it("lets the operator hear what is monitored, and what is solo alone, even muted or in another scene (STU2)", () => {
  expect(heard(show({ monitored: true })).monitor).toEqual(["voice"]);
  expect(heard(show({ monitored: true, muted: true })).monitor).toEqual([]);
  expect(heard(show({}, { monitored: true })).monitor).toEqual([]);
  const prepared = show({}, { monitored: true });
  const document = { ...prepared.document, preview: prepared.document.scenes[1]?.id as string };
  expect(heard({ ...prepared, document }).monitor).toEqual(["music"]);
  const solo = show({ monitored: true }, { solo: true, muted: true });
  expect(heard(solo)).toEqual({ program: ["voice", "both"], monitor: ["music"] });
});

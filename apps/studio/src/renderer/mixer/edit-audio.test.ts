import { describe, expect, test } from "vitest";
import { addSource, changeItem } from "../../document/edit.ts";
import { DEFAULT_AUDIO, type Source } from "../../document/source.ts";
import { newDocument, StudioDocument } from "../../document/studio-document.ts";
import { audibleSources, changeAudio, isHeard, newFilter, toggleMicrophones } from "./edit-audio.ts";

const microphone = (id: string): Source => ({
  id,
  name: id,
  kind: "microphone",
  audio: DEFAULT_AUDIO,
  device: { id: "", label: "" },
  echo_cancellation: false,
});
const bare = newDocument("Scene");
const wall: Source = { id: "wall", name: "Wall", kind: "colour", colour: "#000000", filters: [] };
const show = [microphone("one"), microphone("two"), wall].reduce(
  (document, source) => addSource(document, source, bare.program),
  bare,
);

describe("the sound of a show, edited (STU2)", () => {
  test("only what makes sound has a fader", () => {
    expect(audibleSources(show).map(({ id }) => id)).toEqual(["one", "two"]);
  });

  test("what the scene on air does not show is not heard", () => {
    expect(isHeard(show, "one")).toBe(true);
    const item = show.scenes[0]?.items[0]?.id ?? "";
    const hidden = changeItem(show, bare.program, item, (now) => ({ ...now, visible: false }));
    expect(isHeard(hidden, "one")).toBe(false);
    expect(isHeard(show, "nobody")).toBe(false);
  });

  test("all microphones are muted at once, and heard again only when all were muted", () => {
    const muted = (document: StudioDocument) => audibleSources(document).map(({ audio }) => audio.muted);
    const one = changeAudio(show, "one", (audio) => ({ ...audio, muted: true }));
    expect(muted(toggleMicrophones(one))).toEqual([true, true]);
    expect(muted(toggleMicrophones(toggleMicrophones(one)))).toEqual([false, false]);
  });

  test("new filters are such as a show may have", () => {
    const filters = (["noise_suppression", "gate", "compressor", "limiter"] as const).map(newFilter);
    const changed = changeAudio(show, "one", (audio) => ({ ...audio, filters }));
    expect(StudioDocument.safeParse(changed).success).toBe(true);
    expect(changeAudio(show, "wall", (audio) => ({ ...audio, muted: true }))).toBe(show);
  });
});

import { expect, it } from "vitest";
import { addSource } from "../../document/edit.ts";
import { newId } from "../../document/identity.ts";
import { type AudioSettings, DEFAULT_AUDIO, type Source } from "../../document/source.ts";
import { newDocument, type StudioDocument } from "../../document/studio-document.ts";
import { monitoredSeats } from "./monitored-seats.ts";

function guest(seat: number, audio: Partial<AudioSettings>): Source {
  return {
    id: newId(),
    name: `Guest ${seat}`,
    kind: "guest",
    filters: [],
    seat,
    audio: { ...DEFAULT_AUDIO, ...audio },
  };
}

function show(...sources: Source[]): StudioDocument {
  const document = newDocument("Show");
  return sources.reduce((all, source) => addSource(all, source, document.program), document);
}

it("are those that are monitored on stage, and all of them while something is solo (STU7)", () => {
  const document = show(guest(1, { monitored: true }), guest(2, {}), guest(3, { monitored: true, muted: true }));
  expect(monitoredSeats(document)).toEqual(new Set([1]));
  const [first] = document.scenes;
  // In no scene any more: its guest is heard from the room again.
  expect(monitoredSeats({ ...document, scenes: [{ ...(first as typeof first & object), items: [] }] })).toEqual(
    new Set(),
  );
  expect(monitoredSeats(show(guest(1, { monitored: true }), guest(2, { solo: true })))).toEqual(new Set([1, 2]));
});

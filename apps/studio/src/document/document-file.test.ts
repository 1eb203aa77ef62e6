import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DocumentError, type Migration, readDocument, writeDocument } from "./document-file.ts";
import { addSource } from "./edit.ts";
import { DEFAULT_AUDIO } from "./source.ts";
import { newDocument, type StudioDocument } from "./studio-document.ts";

function example(): StudioDocument {
  const empty = newDocument("Main");
  return addSource(
    empty,
    {
      id: "mic",
      name: "Desk mic",
      kind: "microphone",
      device: { id: "default", label: "Desk mic" },
      echo_cancellation: true,
      audio: DEFAULT_AUDIO,
    },
    empty.program,
  );
}

function reasonOf(text: string, migrations?: readonly Migration[]): DocumentError {
  try {
    readDocument(text, migrations);
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("STU1: a show as it is saved", () => {
  it("comes back as it was", () => {
    const document = example();
    expect(readDocument(writeDocument(document))).toEqual(document);
  });

  it("tells what is wrong with a file", () => {
    const text = writeDocument(example());
    expect(reasonOf(text.slice(0, -10)).reason).toBe("not_json");
    expect(reasonOf("[1]").reason).toBe("not_a_document");
    expect(reasonOf(`{"version": 99}`).reason).toBe("too_new");
    expect(reasonOf(" ".repeat(8 * 1024 * 1024 + 1)).reason).toBe("too_large");
    const error = reasonOf(text.replace(`"program": "`, `"program": "x`));
    expect(error.reason).toBe("damaged");
    expect(error.problems).toEqual(["program: there is no such scene"]);
  });

  it("names an item whose source is missing, and an id that is used twice", () => {
    const document = example();
    expect(reasonOf(writeDocument({ ...document, sources: [] })).problems).toEqual([
      "scenes.0.items.0.source: there is no such source",
    ]);
    const twice = { ...document, sources: [...document.sources, ...document.sources] };
    expect(reasonOf(writeDocument(twice)).problems).toEqual(["sources.1.id: the id mic is used twice"]);
  });

  it("is migrated through every version between", () => {
    const { version: _, ...current } = example();
    const old = JSON.stringify({ ...current, version: 1, frames: 1 });
    const steps: Migration[] = [
      ({ frames, ...rest }) => ({ ...rest, version: 2, counted: frames }),
      ({ counted, ...rest }) => ({ ...rest, version: 1, from: counted }),
    ];
    // What comes out is held to the schema like any other document.
    expect(reasonOf(old, steps).problems).toEqual([`: Unrecognized key: "from"`]);
    const dropping: Migration[] = [
      steps[0] as Migration,
      ({ counted: _counted, ...rest }) => ({ ...rest, version: 1 }),
    ];
    expect(readDocument(old, dropping)).toEqual({ ...current, version: 1 });
    const failing: Migration = () => {
      throw new Error("no frames");
    };
    expect(reasonOf(old, [failing])).toMatchObject({ reason: "damaged", problems: ["Error: no frames"] });
  });

  it("never fails in another way, whatever the file holds", () => {
    const text = writeDocument(example());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc
            .tuple(fc.nat(text.length - 1), fc.string({ maxLength: 8 }))
            .map(([at, piece]) => text.slice(0, at) + piece + text.slice(at + 1)),
        ),
        (damaged) => {
          try {
            readDocument(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(DocumentError);
          }
        },
      ),
    );
  });
});

import { z } from "zod";
import { DOCUMENT_VERSION, StudioDocument } from "./studio-document.ts";

/** Turns a document of one version into one of the next. It may rely on what the older version promised, no more. */
export type Migration = (document: Record<string, unknown>) => Record<string, unknown>;

/** `MIGRATIONS[n]` leads from version n + 1 to version n + 2. */
export const MIGRATIONS: readonly Migration[] = [];

/** A saved document that cannot be used; `message` is for its owner. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly reason: "not_json" | "too_large" | "not_a_document" | "too_new" | "damaged";
  /** Where it is wrong, in words, at most ten. */
  readonly problems: readonly string[];

  constructor(reason: DocumentError["reason"], message: string, problems: readonly string[] = []) {
    super(message);
    this.reason = reason;
    this.problems = problems;
  }
}

/** More than any show needs, in characters. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

/**
 * Reads a saved document, of this version or an older one.
 * @param migrations for tests of migrations themselves.
 * @throws {DocumentError} where it is not one, is damaged, or was written by a newer studio.
 */
export function readDocument(text: string, migrations: readonly Migration[] = MIGRATIONS): StudioDocument {
  if (text.length > MAX_CHARACTERS) throw new DocumentError("too_large", "The file is too big to be a show.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DocumentError("not_json", `The file is damaged: ${(error as Error).message}.`);
  }
  const versioned = z.looseObject({ version: z.int().min(1) }).safeParse(value);
  if (!versioned.success) throw new DocumentError("not_a_document", "The file is not a show of Klieg.");
  if (versioned.data.version > migrations.length + 1) {
    throw new DocumentError("too_new", "The show was saved by a newer Klieg; update this one to open it.");
  }
  let document: Record<string, unknown> = versioned.data;
  try {
    for (const migrate of migrations.slice(versioned.data.version - 1)) document = migrate(document);
  } catch (error) {
    throw new DocumentError("damaged", "The show was saved by an older Klieg and is damaged.", [String(error)]);
  }
  const parsed = StudioDocument.safeParse(document);
  if (!parsed.success) {
    const problems = parsed.error.issues
      .slice(0, 10)
      .map(({ path, message }) => `${path.map(String).join(".")}: ${message}`);
    throw new DocumentError("damaged", "The show is damaged.", problems);
  }
  return parsed.data;
}

/** The text that {@link readDocument} reads. */
export function writeDocument(document: StudioDocument): string {
  return `${JSON.stringify({ ...document, version: DOCUMENT_VERSION }, null, 1)}\n`;
}

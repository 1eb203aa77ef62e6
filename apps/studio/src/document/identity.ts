import { z } from "zod";

/** Names one record of a document: a source, scene, item, filter or destination. Never used twice. */
export const RecordId = z.string().regex(/^[a-z0-9-]{1,40}$/, "1 to 40 of a-z, 0-9 and -");
export type RecordId = z.infer<typeof RecordId>;

/** What a person calls a record. */
export const RecordName = z.string().trim().min(1).max(80);

/** A new id: 96 random bits, so that documents can be merged. */
export function newId(): RecordId {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

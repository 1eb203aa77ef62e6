import { KliegError } from "@klieg/protocol";

/** Translates a broken unique constraint into `conflict`. */
export async function uniquely(message: string, insert: () => Promise<unknown>): Promise<void> {
  try {
    await insert();
  } catch (error) {
    // SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE
    const code = (error as { errcode?: number }).errcode;
    if (code === 1555 || code === 2067) throw new KliegError("conflict", message, { cause: error });
    throw error;
  }
}

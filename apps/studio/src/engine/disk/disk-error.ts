import { KliegError } from "@klieg/protocol";

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  EROFS: "the disk cannot be written to",
  EACCES: "its folder may not be written to",
  EPERM: "its folder may not be written to",
  EIO: "the disk has failed",
  ENODEV: "the disk is gone",
  ENOENT: "its folder is gone",
  ENOTDIR: "its folder is not a folder",
  ENAMETOOLONG: "its name is too long",
};

/**
 * What a failure of the file system is called in the code table, in words for the operator.
 * @param what begins the sentence, e.g. "The show could not be saved".
 */
export function diskError(error: unknown, what: string): KliegError {
  if (error instanceof KliegError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return new KliegError("internal", `${what}.`, { cause: error });
  return new KliegError("storage_unavailable", `${what}: ${WORDS[code] ?? code}.`, { cause: error });
}

/** Whether a file is not there. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

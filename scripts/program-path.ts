import { accessSync, constants } from "node:fs";
import path from "node:path";

/** Where `program` is found on a PATH; undefined where it is not. */
export function findOnPath(program: string, searchPath: string | undefined): string | undefined {
  const extensions = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  for (const folder of (searchPath ?? "").split(path.delimiter)) {
    for (const extension of extensions) {
      const file = path.join(folder, program + extension);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EACCES") throw error;
      }
    }
  }
  return undefined;
}

export function isOnPath(program: string, searchPath: string | undefined): boolean {
  return findOnPath(program, searchPath) !== undefined;
}

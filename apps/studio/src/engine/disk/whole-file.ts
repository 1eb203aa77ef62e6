import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file wholly or not at all, readable by nobody but this user: whatever happens meanwhile, there is the old one or the
 * new one.
 */
export async function writeWholeFile(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.new`;
  try {
    await using file = await open(unfinished, "w", 0o600);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await rename(unfinished, path);
  await syncFolder(dirname(path));
}

/** Makes names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows does not let folders be opened, and needs no such thing.
  if (process.platform === "win32") return;
  await using folder = await open(path, "r");
  await folder.sync();
}

/** Puts a damaged file aside, where it harms nobody and can still be looked at. @returns its new path. */
export async function putAside(path: string, wall: number): Promise<string> {
  const stamp = new Date(wall).toISOString().replaceAll(/[:.]/g, "-");
  const aside = `${path.replace(/[.]json$/, "")}.damaged-${stamp}.json`;
  await rename(path, aside);
  return aside;
}

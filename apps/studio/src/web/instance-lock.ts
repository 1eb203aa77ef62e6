import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Another studio has the data folder. */
export class InstanceLockedError extends Error {
  override readonly name = "InstanceLockedError";
}

/** Of this process: a lock that was left by another with the same id, as the first of a container has, is not among them. */
const held = new Set<string>();

/**
 * Takes a data folder for this process: two engines on one show would overwrite each other's changes.
 * @returns what gives it back.
 * @throws {InstanceLockedError} while another process that lives has it.
 */
export async function lockInstance(path: string): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: "wx", mode: 0o600 });
      held.add(path);
      return {
        [Symbol.asyncDispose]: async () => {
          held.delete(path);
          await rm(path, { force: true });
        },
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await readFile(path, "utf8").catch(() => ""));
    const alive = holder === process.pid ? held.has(path) : holder > 0 && isAlive(holder);
    if (alive) {
      throw new InstanceLockedError(`A studio runs already with this data folder: process ${holder}, by ${path}.`);
    }
    // Its process was killed.
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

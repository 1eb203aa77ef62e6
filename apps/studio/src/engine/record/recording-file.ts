import { type FileHandle, mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "../disk/disk-error.ts";
import { syncFolder } from "../disk/whole-file.ts";

/** Names that are tried for a recording before giving up. */
const MAX_NAMES = 100;

/** A file that only grows, whole piece by whole piece, each safe on the disk before the next. */
export class RecordingFile implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;
  readonly #file: FileHandle;
  #bytes = 0;
  #open = true;

  private constructor(path: string, folder: string, file: FileHandle) {
    this.path = path;
    this.#folder = folder;
    this.#file = file;
  }

  /**
   * Makes a file that was not there, and its folder.
   * @param name without an extension; where there is such a file already, a number is added.
   * @throws {KliegError} `storage_unavailable`.
   */
  static async create(folder: string, name: string): Promise<RecordingFile> {
    try {
      await mkdir(folder, { recursive: true });
      for (let number = 1; ; number += 1) {
        const path = join(folder, number === 1 ? `${name}.mp4` : `${name} ${number}.mp4`);
        try {
          const file = await open(path, "wx", 0o644);
          await syncFolder(folder);
          return new RecordingFile(path, folder, file);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST" || number >= MAX_NAMES) throw error;
        }
      }
    } catch (error) {
      throw diskError(error, "Nothing can be recorded there");
    }
  }

  /** Safe on the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the disk has left for this user, bytes; null where that is not known. */
  async freeBytes(): Promise<number | null> {
    try {
      const { bavail, bsize } = await statfs(this.#folder);
      return bavail * bsize;
    } catch {
      return null; // Some file systems do not tell; writing says when they are full.
    }
  }

  /**
   * Adds a piece; one call at a time. It is safe on the disk then, or the file is as it was before.
   * @throws {KliegError} `storage_unavailable`.
   */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    const size = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    try {
      // One write: a kill in the middle of it is the only thing that can leave half a piece.
      await this.#file.appendFile(Buffer.concat(parts, size));
      await this.#file.datasync();
      this.#bytes += size;
    } catch (error) {
      // Half a piece would be in the way of nobody but those who look at the end of the file.
      await this.#file.truncate(this.#bytes).catch(() => undefined);
      throw diskError(error, "The recording cannot go on");
    }
  }

  /** Lets go of the file; one in which nothing is, is removed. Idempotent. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
    if (this.#bytes === 0) await rm(this.path, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Beginning of a replay's name. */
export const REPLAY_NAME = "Klieg replay";
const FILM_NAME = /^Klieg( replay)? \d{4}-\d\d-\d\d \d\d-\d\d-\d\d.*\.mp4$/;

/** Whether a file's name is one of ours. */
export function isFilmName(name: string): boolean {
  return FILM_NAME.test(name);
}

/** What a recording is called that begins now, in the machine's own time: `Klieg 2026-11-21 14-05-09`. */
export function recordingName(kind: "Klieg" | typeof REPLAY_NAME, wall: number): string {
  const at = new Date(wall);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${kind} ${day} ${two(at.getHours())}-${two(at.getMinutes())}-${two(at.getSeconds())}`;
}

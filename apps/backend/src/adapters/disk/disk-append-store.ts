import { type FileHandle, mkdir, open, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { KliegError } from "@klieg/protocol";
import type { AppendFile, AppendStore } from "../../ports/append-store.ts";

const KEY = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}\/){0,8}[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}$/;

/** {@link AppendStore} in a folder: each append is written and synced. */
export class DiskAppendStore implements AppendStore {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(root: string): Promise<DiskAppendStore> {
    await mkdir(root, { recursive: true });
    return new DiskAppendStore(root);
  }

  async create(key: string): Promise<AppendFile> {
    const path = this.#path(key);
    try {
      await mkdir(dirname(path), { recursive: true });
      return new DiskAppendFile(key, await open(path, "wx", 0o640));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") {
        throw new KliegError("conflict", `There is ${key} already.`, { cause: error });
      }
      throw unavailable(`Could not create ${key}`, error);
    }
  }

  async size(key: string): Promise<number | undefined> {
    const path = this.#path(key);
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw unavailable(`Could not read ${key}`, error);
    }
  }

  async read(key: string, at: number, length: number): Promise<Uint8Array> {
    return this.#using(key, "r", async (file) => {
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await file.read(buffer, 0, length, at);
      return buffer.subarray(0, bytesRead);
    });
  }

  async mend(key: string, length: number, chunks: readonly Uint8Array[]): Promise<void> {
    await this.#using(key, "r+", async (file) => {
      await file.truncate(length);
      await writeAll(file, chunks, length);
      await file.datasync();
    });
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    try {
      await rm(path, { force: true });
    } catch (error) {
      throw unavailable(`Could not delete ${key}`, error);
    }
  }

  async free(): Promise<number | undefined> {
    try {
      const { bavail, bsize } = await statfs(this.#root);
      return bavail * bsize;
    } catch {
      // Not every file system knows.
      return undefined;
    }
  }

  async close(): Promise<void> {
    // Each file is closed by whoever has it.
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #using<T>(key: string, flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
    const path = this.#path(key);
    try {
      await using file = await open(path, flags);
      return await work(file);
    } catch (error) {
      if (isMissing(error)) throw new KliegError("not_found", `There is no ${key}.`, { cause: error });
      throw unavailable(`Could not read or write ${key}`, error);
    }
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new KliegError("bad_request", `Not a key: ${JSON.stringify(key.slice(0, 80))}`);
    return join(this.#root, key);
  }
}

class DiskAppendFile implements AppendFile {
  readonly #key: string;
  readonly #file: FileHandle;
  #bytes = 0;
  /** Appends are written one after another. */
  #work: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(key: string, file: FileHandle) {
    this.#key = key;
    this.#file = file;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(chunks: readonly Uint8Array[]): Promise<void> {
    const work = this.#work.then(() => this.#append(chunks));
    this.#work = work.catch(() => undefined);
    return work;
  }

  close(): Promise<void> {
    this.#closed ??= this.#work.then(() => this.#file.close());
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      const end = await writeAll(this.#file, chunks, this.#bytes);
      await this.#file.datasync();
      this.#bytes = end;
    } catch (error) {
      // Half of it would stand before whatever comes next.
      await this.#file.truncate(this.#bytes).catch(() => undefined);
      throw unavailable(`Could not write ${this.#key}`, error);
    }
  }
}

/** @returns where it ends. */
async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], at: number): Promise<number> {
  let end = at;
  // writev takes at most IOV_MAX (1024) buffers at a time, and may write less than it was given.
  for (let first = 0; first < chunks.length; first += 512) {
    const group = chunks.slice(first, first + 512);
    const wanted = group.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const { bytesWritten } = await file.writev(group, end);
    if (bytesWritten < wanted) {
      const rest = Buffer.concat(group).subarray(bytesWritten);
      for (let done = 0; done < rest.byteLength; ) {
        done += (await file.write(rest, done, rest.byteLength - done, end + bytesWritten + done)).bytesWritten;
      }
    }
    end += wanted;
  }
  return end;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

function unavailable(what: string, error: unknown): KliegError {
  const full = (error as NodeJS.ErrnoException).code === "ENOSPC";
  const why = full ? "the disk is full" : (error as Error).message;
  return new KliegError("storage_unavailable", `${what}: ${why}`, { cause: error });
}

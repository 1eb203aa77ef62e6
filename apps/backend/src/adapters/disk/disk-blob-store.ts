import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { KliegError } from "@klieg/protocol";
import type { BlobStore } from "../../ports/blob-store.ts";

const KEY = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}\/){0,8}[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}$/;
const TEMPORARY = ".tmp";

/** {@link BlobStore} in a folder: temporary file, fsync, rename. */
export class DiskBlobStore implements BlobStore {
  readonly #root: string;
  readonly #folders = new Set<string>();

  private constructor(root: string) {
    this.#root = root;
  }

  /** Opens the store, and clears what a crash left half written. */
  static async open(root: string): Promise<DiskBlobStore> {
    await mkdir(root, { recursive: true });
    await rm(join(root, TEMPORARY), { recursive: true, force: true });
    await mkdir(join(root, TEMPORARY), { recursive: true });
    return new DiskBlobStore(root);
  }

  async put(key: string, chunks: readonly Uint8Array[]): Promise<void> {
    const path = this.#path(key);
    const temporary = join(this.#root, TEMPORARY, randomBytes(9).toString("base64url"));
    try {
      const folder = dirname(path);
      if (!this.#folders.has(folder)) {
        await mkdir(folder, { recursive: true });
        this.#folders.add(folder);
      }
      const file = await open(temporary, "wx", 0o640);
      try {
        await writeAll(file, chunks);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw new KliegError("storage_unavailable", `Could not store ${key}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async size(key: string): Promise<number | undefined> {
    const path = this.#path(key);
    return unlessMissing(key, async () => (await stat(path)).size);
  }

  async get(key: string, range?: { start: number; end: number }): Promise<Readable | undefined> {
    const path = this.#path(key);
    return unlessMissing(key, async () => (await open(path)).createReadStream(range));
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  async deletePrefix(prefix: string): Promise<void> {
    const folder = this.#path(prefix.replace(/\/$/, ""));
    for (const known of this.#folders)
      if (known === folder || known.startsWith(`${folder}/`)) this.#folders.delete(known);
    await rm(folder, { recursive: true, force: true });
  }

  async list(
    prefix: string,
    options: { cursor?: string; limit?: number } = {},
  ): Promise<{ names: string[]; cursor?: string }> {
    const limit = options.limit ?? 1000;
    const folder = prefix === "" ? this.#root : this.#path(prefix.replace(/\/$/, ""));
    let names: string[];
    try {
      names = await readdir(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return { names: [] };
      throw new KliegError("storage_unavailable", `Could not list ${prefix}.`, { cause: error });
    }
    const after = names
      .filter((name) => name !== TEMPORARY && (options.cursor === undefined || name > options.cursor))
      .sort();
    const page = after.slice(0, limit);
    const last = page.at(-1);
    return after.length > page.length && last !== undefined ? { names: page, cursor: last } : { names: page };
  }

  async close(): Promise<void> {
    // Files are open only while they are read or written.
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new KliegError("bad_request", `Not a blob key: ${JSON.stringify(key.slice(0, 80))}`);
    return join(this.#root, key);
  }
}

async function unlessMissing<T>(key: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new KliegError("storage_unavailable", `Could not read ${key}.`, { cause: error });
  }
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, chunks: readonly Uint8Array[]): Promise<void> {
  // writev takes at most IOV_MAX (1024) buffers at a time, and may write less than it was given.
  for (let at = 0; at < chunks.length; at += 512) {
    const group = chunks.slice(at, at + 512);
    const wanted = group.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const { bytesWritten } = await file.writev(group);
    if (bytesWritten < wanted) await writeFile(file, Buffer.concat(group).subarray(bytesWritten));
  }
}

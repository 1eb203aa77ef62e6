import { Readable } from "node:stream";
import { KliegError } from "@klieg/protocol";
import type { BlobStore } from "../ports/blob-store.ts";

/** A {@link BlobStore} in memory, which can be made to fail as a full disk does. */
export class MemoryBlobStore implements BlobStore {
  readonly blobs = new Map<string, Buffer>();
  full = false;

  async put(key: string, chunks: readonly Uint8Array[]): Promise<void> {
    if (this.full) throw new KliegError("storage_unavailable", "no space left on device");
    this.blobs.set(key, Buffer.concat(chunks));
  }

  async size(key: string): Promise<number | undefined> {
    return this.blobs.get(key)?.byteLength;
  }

  async get(key: string, range?: { start: number; end: number }): Promise<Readable | undefined> {
    const blob = this.blobs.get(key);
    if (blob === undefined) return undefined;
    return Readable.from([range === undefined ? blob : blob.subarray(range.start, range.end + 1)]);
  }

  async delete(key: string): Promise<void> {
    this.blobs.delete(key);
  }

  async deletePrefix(prefix: string): Promise<void> {
    for (const key of this.blobs.keys()) if (key.startsWith(prefix)) this.blobs.delete(key);
  }

  async list(prefix: string): Promise<{ names: string[] }> {
    const names = new Set<string>();
    for (const key of this.blobs.keys()) {
      if (key.startsWith(prefix)) names.add(key.slice(prefix.length).split("/")[0] ?? "");
    }
    return { names: [...names].sort() };
  }

  async close(): Promise<void> {
    this.blobs.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

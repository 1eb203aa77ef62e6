import { KliegError } from "@klieg/protocol";
import type { AppendFile, AppendStore } from "../ports/append-store.ts";

const KEY = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** {@link AppendStore} in memory, for tests. */
export class MemoryAppendStore implements AppendStore {
  readonly #files = new Map<string, Buffer>();
  /** What can still be written, bytes. */
  room = Number.POSITIVE_INFINITY;

  async create(key: string): Promise<AppendFile> {
    if (!KEY.test(key)) throw new KliegError("bad_request", `Not a key: ${key}`);
    if (this.#files.has(key)) throw new KliegError("conflict", `There is ${key} already.`);
    this.#files.set(key, Buffer.alloc(0));
    const append = async (chunks: readonly Uint8Array[]) => {
      const more = Buffer.concat(chunks);
      if (more.byteLength > this.room) throw new KliegError("storage_unavailable", "The disk is full.");
      this.room -= more.byteLength;
      this.#files.set(key, Buffer.concat([this.#files.get(key) ?? Buffer.alloc(0), more]));
    };
    const size = () => this.#files.get(key)?.byteLength ?? 0;
    return {
      get bytes() {
        return size();
      },
      append,
      close: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async size(key: string): Promise<number | undefined> {
    return this.#files.get(key)?.byteLength;
  }

  async read(key: string, at: number, length: number): Promise<Uint8Array> {
    return this.#file(key).subarray(at, at + length);
  }

  async mend(key: string, length: number, chunks: readonly Uint8Array[]): Promise<void> {
    this.#files.set(key, Buffer.concat([this.#file(key).subarray(0, length), ...chunks]));
  }

  async delete(key: string): Promise<void> {
    this.#files.delete(key);
  }

  async free(): Promise<number | undefined> {
    return Number.isFinite(this.room) ? this.room : undefined;
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #file(key: string): Buffer {
    const bytes = this.#files.get(key);
    if (bytes === undefined) throw new KliegError("not_found", `There is no ${key}.`);
    return bytes;
  }
}

import type { Readable } from "node:stream";

/**
 * Keeps immutable blobs under keys such as `live/STREAM/720p/12.m4s` (segments of letters, digits, `.`, `-`, `_`).
 * A blob is either wholly visible or not at all, whatever crashes.
 */
export interface BlobStore extends AsyncDisposable {
  /** Stores the concatenation of `chunks`; overwrites. @throws {KliegError} `storage_unavailable` where the medium refuses (full, gone). */
  put(key: string, chunks: readonly Uint8Array[]): Promise<void>;
  /** @returns the blob's size in bytes, or undefined where there is no such blob. */
  size(key: string): Promise<number | undefined>;
  /**
   * The whole blob, or its bytes `start` to `end` (both included). The caller consumes or destroys what it gets.
   * @returns undefined where there is no such blob.
   */
  get(key: string, range?: { start: number; end: number }): Promise<Readable | undefined>;
  delete(key: string): Promise<void>;
  /** Deletes every blob whose key begins with `prefix`, which ends in `/`. */
  deletePrefix(prefix: string): Promise<void>;
  /** The names directly below `prefix` (which ends in `/`), sorted; at most `limit` of them after `cursor`. */
  list(prefix: string, options?: { cursor?: string; limit?: number }): Promise<{ names: string[]; cursor?: string }>;
  close(): Promise<void>;
}

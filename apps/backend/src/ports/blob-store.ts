import type { Readable } from "node:stream";

/** A blob that can be read: whole, or the bytes `start` to `end` (inclusive). */
export interface BlobRead {
  /** Size of the whole blob, bytes. */
  readonly size: number;
  /** The wanted bytes; the caller must consume or destroy it. */
  readonly body: Readable;
}

/**
 * Keeps immutable blobs under keys such as `live/STREAM/720p/12.m4s` (segments of letters, digits, `.`, `-`, `_`).
 * A blob is either wholly visible or not at all, whatever crashes.
 */
export interface BlobStore extends AsyncDisposable {
  /** Stores the concatenation of `chunks`; overwrites. @throws {KliegError} `storage_unavailable` where the medium refuses (full, gone). */
  put(key: string, chunks: readonly Uint8Array[]): Promise<void>;
  /** @returns undefined where there is no such blob. */
  get(key: string, range?: { start: number; end: number }): Promise<BlobRead | undefined>;
  delete(key: string): Promise<void>;
  /** Deletes every blob whose key begins with `prefix`, which ends in `/`. */
  deletePrefix(prefix: string): Promise<void>;
  /** The names directly below `prefix` (which ends in `/`), sorted; at most `limit` of them after `cursor`. */
  list(prefix: string, options?: { cursor?: string; limit?: number }): Promise<{ names: string[]; cursor?: string }>;
  close(): Promise<void>;
}

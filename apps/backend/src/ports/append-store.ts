/**
 * Files that grow while they are used, by key: `/`-separated names of letters, digits, dots, hyphens and underscores. What
 * an append has written is there after a crash; what a crash cut off is found by its reader.
 */
export interface AppendStore extends AsyncDisposable {
  /** A new, empty file. @throws {KliegError} `storage_unavailable`; `conflict` where the key is taken. */
  create(key: string): Promise<AppendFile>;
  /** Bytes of the file; undefined where there is none. @throws {KliegError} `storage_unavailable`. */
  size(key: string): Promise<number | undefined>;
  /**
   * Up to `length` bytes from `at`; fewer at the end of the file.
   * @throws {KliegError} `not_found`, `storage_unavailable`.
   */
  read(key: string, at: number, length: number): Promise<Uint8Array>;
  /** Cuts the file to `length` bytes and adds `chunks`. @throws {KliegError} `not_found`, `storage_unavailable`. */
  mend(key: string, length: number, chunks: readonly Uint8Array[]): Promise<void>;
  /** Deletes it; one that is not there is no error. @throws {KliegError} `storage_unavailable`. */
  delete(key: string): Promise<void>;
  /** Bytes that can still be written; undefined where nobody knows. */
  free(): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface AppendFile extends AsyncDisposable {
  readonly bytes: number;
  /**
   * Adds `chunks` at the end. They are durable when it resolves; where it fails, nothing of them stays.
   * @throws {KliegError} `storage_unavailable`.
   */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

import type { Readable } from "node:stream";
import type { Clock } from "@klieg/base";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Logger } from "../ports/logger.ts";

/** Bytes that may wait for the blob store; a segment that would pass it is not stored. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/**
 * One stream's whole segments in the blob store, under `live/STREAM/RENDITION/MSN.m4s`. Writing never holds up the
 * live edge: segments are written one after another beside it, and one that cannot be written is reported.
 */
export class SegmentArchive {
  readonly #blobs: BlobStore;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #writing: Promise<unknown> = Promise.resolve();
  #pendingBytes = 0;
  #failingSince: number | undefined;
  #notStored = 0;

  constructor(options: { blobs: BlobStore; streamId: string; logger: Logger; clock: Clock }) {
    this.#clock = options.clock;
    this.#blobs = options.blobs;
    this.#prefix = `live/${options.streamId}/`;
    this.#logger = options.logger;
  }

  /** Since when writing fails, Unix ms; undefined while it does not. */
  get failingSince(): number | undefined {
    return this.#failingSince;
  }

  /** Segments that could not be stored so far. */
  get notStored(): number {
    return this.#notStored;
  }

  /** @returns whether the segment is in the store now; never rejects. */
  store(rendition: string, msn: number, chunks: readonly Uint8Array[], byteLength: number): Promise<boolean> {
    if (this.#pendingBytes + byteLength > MAX_PENDING_BYTES) {
      this.#onFailure(new Error("the store does not keep up"));
      return Promise.resolve(false);
    }
    this.#pendingBytes += byteLength;
    const done = this.#writing.then(async () => {
      try {
        await this.#blobs.put(this.#key(rendition, msn), chunks);
        if (this.#failingSince !== undefined) this.#logger.info({}, "segments can be stored again");
        this.#failingSince = undefined;
        return true;
      } catch (error) {
        this.#onFailure(error);
        return false;
      } finally {
        this.#pendingBytes -= byteLength;
      }
    });
    this.#writing = done;
    return done;
  }

  /** @returns bytes of the segment, or undefined where it is not in the store. */
  size(rendition: string, msn: number): Promise<number | undefined> {
    return this.#blobs.size(this.#key(rendition, msn));
  }

  /** @returns the segment's bytes (of the range), or undefined where it is not in the store. */
  open(rendition: string, msn: number, range?: { start: number; end: number }): Promise<Readable | undefined> {
    return this.#blobs.get(this.#key(rendition, msn), range);
  }

  /** Deletes a segment beside what else is going on. */
  remove(rendition: string, msn: number): void {
    this.#after(() => this.#blobs.delete(this.#key(rendition, msn)));
  }

  /** Waits for what is being written, then deletes everything. */
  async close(): Promise<void> {
    this.#after(() => this.#blobs.deletePrefix(this.#prefix));
    await this.#writing;
  }

  #after(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch((error: unknown) => {
      this.#logger.warn({ err: error }, "an old segment could not be deleted");
    });
  }

  #onFailure(error: unknown): void {
    this.#notStored += 1;
    // Once, not for every segment of a full disk.
    if (this.#failingSince === undefined) {
      this.#logger.error({ err: error }, "segments cannot be stored; the playlists' window shrinks");
    }
    this.#failingSince ??= this.#clock.wall();
  }

  #key(rendition: string, msn: number): string {
    return `${this.#prefix}${rendition}/${msn}.m4s`;
  }
}

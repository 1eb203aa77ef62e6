import {
  type AccessUnit,
  type AudioTrack,
  MediaError,
  type MediaSink,
  type MoviePiece,
  MovieWriter,
  type Track,
  type VideoTrack,
} from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { AppendFile } from "../ports/append-store.ts";

export interface RecordingWriterOptions {
  readonly file: AppendFile;
  /** The recording ends before it grows larger. */
  readonly maxBytes: number;
  /** Something more is durable. */
  readonly onGrown: (bytes: number, durationMs: number) => void;
  /** It can go no further: the disk is full, or the recording as large as it may be. Once. */
  readonly onFailed: (failure: KliegError) => void;
}

/** What may wait for the disk. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Writes a program to a file, fragment by fragment, each synced: what it was told is durable survives any crash. */
export class RecordingWriter implements MediaSink, AsyncDisposable {
  readonly #options: RecordingWriterOptions;
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #movie: MovieWriter | undefined;
  #waitingBytes = 0;
  #plannedBytes = 0;
  #durationMs = 0;
  #work: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: RecordingWriterOptions) {
    this.#options = options;
  }

  /** How long what is durable plays, ms. */
  get durationMs(): number {
    return this.#durationMs;
  }

  onTrack(track: Track): void {
    if (track.kind === "video") this.#video = track;
    else this.#audio = track;
  }

  onAccessUnit(unit: AccessUnit): void {
    if (this.#ended) return;
    try {
      this.#movie ??= this.#begin(unit);
      this.#movie?.push(unit);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#fail(new KliegError("media_malformed", `The recording cannot go on: ${error.message}.`, { cause: error }));
    }
  }

  /** Writes what is left, and lets go of the file. Idempotent. */
  async close(): Promise<void> {
    if (!this.#ended) this.#movie?.flush();
    this.#ended = true;
    await this.#work;
    await this.#options.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Both tracks are known when the first keyframe comes, unless the sound is late: then at the next one. */
  #begin(unit: AccessUnit): MovieWriter | undefined {
    if (this.#video === undefined || this.#audio === undefined || !unit.keyframe || unit.track.kind !== "video") {
      return undefined;
    }
    return new MovieWriter(this.#video, this.#audio, (piece) => this.#write(piece));
  }

  #write(piece: MoviePiece): void {
    const { file, maxBytes, onGrown } = this.#options;
    if (this.#ended) return;
    const bytes = piece.bytes.reduce((sum, part) => sum + part.byteLength, 0);
    this.#plannedBytes += bytes;
    if (this.#plannedBytes > maxBytes) {
      this.#fail(new KliegError("storage_unavailable", "The recording is as large as it may be."));
      return;
    }
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#fail(new KliegError("storage_unavailable", "The disk is too slow for the recording."));
      return;
    }
    this.#work = this.#work.then(async () => {
      try {
        await file.append(piece.bytes);
        this.#durationMs = piece.durationMs;
        onGrown(file.bytes, piece.durationMs);
      } catch (error) {
        this.#fail(KliegError.from(error));
      } finally {
        this.#waitingBytes -= bytes;
      }
    });
  }

  #fail(failure: KliegError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onFailed(failure);
  }
}

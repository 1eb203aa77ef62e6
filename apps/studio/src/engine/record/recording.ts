import {
  type AccessUnit,
  type AudioTrack,
  MediaError,
  MovieIndex,
  type MoviePiece,
  MovieWriter,
  TICKS_PER_SECOND,
  type Track,
  type VideoTrack,
} from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { ProgramReader } from "../program/program-reader.ts";
import type { RecordingFile } from "./recording-file.ts";

export interface RecordingOptions {
  readonly file: RecordingFile;
  /** More is safe on the disk. */
  readonly onGrown: (durationMs: number) => void;
  /** It can go no further; what is safe stays so. Once. */
  readonly onFailed: (failure: KliegError) => void;
}

/** A kill loses what has come since the last fragment, ms: with what is on its way to the disk, well below two seconds. */
const MAX_FRAGMENT_MS = 1000;
/** What may wait for the disk, bytes. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** A program without sound is recorded once so much of it has come, ticks. */
const SOUND_PATIENCE = TICKS_PER_SECOND;
const VIDEO_TRACK_ID = 1;

/** Writes the program to a file fragment by fragment, each safe on the disk before the next: it plays wherever it ends. */
export class Recording implements ProgramReader, AsyncDisposable {
  readonly #options: RecordingOptions;
  readonly #index = new MovieIndex(VIDEO_TRACK_ID);
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #movie: MovieWriter | undefined;
  #firstPicture: number | undefined;
  #waitingBytes = 0;
  #plannedBytes = 0;
  #durationMs = 0;
  #work: Promise<void> = Promise.resolve();
  #ended = false;
  #failed = false;

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /** How long what is safe plays, ms. */
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

  onRemoved(error: unknown): void {
    this.#fail(new KliegError("internal", "The recording cannot go on.", { cause: error }));
  }

  /** Writes what is left, and lets go of the file. Idempotent. */
  async close(): Promise<void> {
    if (!this.#ended) {
      this.#movie?.flush();
      this.#ended = true;
      const { file } = this.#options;
      const index = this.#index.bytes();
      this.#work = this.#work.then(async () => {
        if (file.bytes === 0) return;
        // Only for seeking: a full disk takes nothing from the recording.
        await file.append([index]).catch(() => undefined);
      });
    }
    await this.#work;
    await this.#options.file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Begins with a keyframe, once the sound is known; without it when none has come by the next one. */
  #begin(unit: AccessUnit): MovieWriter | undefined {
    if (unit.track.kind !== "video" || !unit.keyframe || this.#video === undefined) return undefined;
    this.#firstPicture ??= unit.dts;
    if (this.#audio === undefined && unit.dts - this.#firstPicture < SOUND_PATIENCE) return undefined;
    return new MovieWriter(this.#video, this.#audio, (piece) => this.#write(piece), { maxFragmentMs: MAX_FRAGMENT_MS });
  }

  #write(piece: MoviePiece): void {
    if (this.#ended) return;
    const { file, onGrown } = this.#options;
    const bytes = piece.bytes.reduce((sum, part) => sum + part.byteLength, 0);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#fail(new KliegError("storage_unavailable", "The disk is too slow for the recording."));
      return;
    }
    if (piece.keyframeTime !== undefined) this.#index.add(piece.keyframeTime, this.#plannedBytes);
    this.#plannedBytes += bytes;
    this.#waitingBytes += bytes;
    this.#work = this.#work.then(async () => {
      try {
        if (this.#failed) return;
        await file.append(piece.bytes);
        this.#durationMs = piece.durationMs;
        onGrown(piece.durationMs);
      } catch (error) {
        this.#fail(KliegError.from(error));
      } finally {
        this.#waitingBytes -= bytes;
      }
    });
  }

  #fail(failure: KliegError): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#ended = true;
    this.#options.onFailed(failure);
  }
}

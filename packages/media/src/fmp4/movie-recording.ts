import {
  type AccessUnit,
  type AudioTrack,
  type MediaSink,
  TICKS_PER_SECOND,
  type Track,
  type VideoTrack,
} from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { MovieIndex } from "./movie-index.ts";
import { LEAD_TRACK_ID, type MoviePiece, MovieWriter } from "./movie-writer.ts";

/** The file of a recording: it only grows. */
export interface RecordingOutput {
  /** Durable. */
  readonly bytes: number;
  /** Adds `parts` at the end; one call at a time. They are durable when it resolves; where it fails, nothing of them stays. */
  append(parts: readonly Uint8Array[]): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Why a recording goes no further.
 * - `too_large`: it is as large as it may be; `too_slow`: the disk does not keep up.
 * - `unwritable`: `cause` is what the file's `append` threw.
 * - `unreadable`: what it was given cannot be put into a movie.
 */
export class RecordingFailure extends Error {
  override readonly name = "RecordingFailure";
  readonly reason: "too_large" | "too_slow" | "unwritable" | "unreadable";

  constructor(reason: RecordingFailure["reason"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

export interface MovieRecordingOptions {
  readonly file: RecordingOutput;
  /** What is recorded: with `audio` alone there is no picture to begin with. */
  readonly kinds: readonly Track["kind"][];
  /** Picture without sound is recorded as it is once so much of it has come, ms; Infinity: it waits for the sound. */
  readonly soundPatienceMs: number;
  /** A crash loses what has come since the last fragment, ms. Default 10 000. */
  readonly maxFragmentMs?: number;
  /** The recording ends before it grows larger, bytes. Default: it may grow for ever. */
  readonly maxBytes?: number;
  /** Where the file begins, ticks: what is earlier is left out. Default: with the first keyframe. */
  readonly zero?: number | undefined;
  /** Something more is durable. */
  readonly onGrown: (bytes: number, durationMs: number) => void;
  /** It can go no further; what is durable stays so. Once. */
  readonly onFailed: (failure: RecordingFailure) => void;
}

/** What may wait for the disk, bytes. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/**
 * Writes picture, sound or both to a file, fragment by fragment, each durable before the next: it plays wherever it ends. Closed in
 * order it gets an index at its end, to be sought in.
 */
export class MovieRecording implements MediaSink, AsyncDisposable {
  readonly #options: MovieRecordingOptions;
  readonly #index = new MovieIndex(LEAD_TRACK_ID);
  #video: VideoTrack | undefined;
  #audio: AudioTrack | undefined;
  #movie: MovieWriter | undefined;
  #firstPicture: number | undefined;
  #waitingBytes = 0;
  #plannedBytes = 0;
  #durationMs = 0;
  #work: Promise<void> = Promise.resolve();
  /** Takes nothing more. */
  #ended = false;
  #failed = false;
  /** The file takes nothing more. */
  #broken = false;
  #closing = false;

  constructor(options: MovieRecordingOptions) {
    this.#options = options;
  }

  /** How long what is durable plays, ms. */
  get durationMs(): number {
    return this.#durationMs;
  }

  /** Where the file begins, ticks; undefined before it does. */
  get zero(): number | undefined {
    return this.#movie?.zero;
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
      this.#fail(new RecordingFailure("unreadable", error.message, { cause: error }));
    }
  }

  /** Writes what is left, and lets go of the file. Idempotent. */
  async close(): Promise<void> {
    const { file } = this.#options;
    if (!this.#closing) {
      this.#closing = true;
      if (!this.#ended) this.#movie?.flush();
      this.#ended = true;
      this.#work = this.#work.then(async () => {
        if (this.#broken || file.bytes === 0) return;
        // Only for seeking: a full disk takes nothing from the recording.
        await file.append([this.#index.bytes()]).catch(() => undefined);
      });
    }
    await this.#work;
    await file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Begins with a keyframe, once the sound is known or was waited for long enough. */
  #begin(unit: AccessUnit): MovieWriter | undefined {
    const { kinds, soundPatienceMs, maxFragmentMs, zero } = this.#options;
    const seen = kinds.includes("video");
    const heard = kinds.includes("audio");
    if (seen) {
      if (unit.track.kind !== "video" || !unit.keyframe || this.#video === undefined) return undefined;
      this.#firstPicture ??= unit.dts;
      const waitedMs = ((unit.dts - this.#firstPicture) * 1000) / TICKS_PER_SECOND;
      if (heard && this.#audio === undefined && waitedMs < soundPatienceMs) return undefined;
    } else if (this.#audio === undefined) return undefined;
    const tracks = { video: seen ? this.#video : undefined, audio: heard ? this.#audio : undefined };
    return new MovieWriter(tracks, (piece) => this.#write(piece), { maxFragmentMs, zero });
  }

  #write(piece: MoviePiece): void {
    if (this.#ended) return;
    const { file, maxBytes = Number.POSITIVE_INFINITY, onGrown } = this.#options;
    const bytes = piece.bytes.reduce((sum, part) => sum + part.byteLength, 0);
    if (this.#plannedBytes + bytes > maxBytes) {
      this.#fail(new RecordingFailure("too_large", "The recording is as large as it may be."));
      return;
    }
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#fail(new RecordingFailure("too_slow", "The disk is too slow for the recording."));
      return;
    }
    if (piece.keyframeTime !== undefined) this.#index.add(piece.keyframeTime, this.#plannedBytes);
    this.#plannedBytes += bytes;
    this.#waitingBytes += bytes;
    this.#work = this.#work.then(async () => {
      try {
        if (this.#broken) return;
        await file.append(piece.bytes);
        this.#durationMs = piece.durationMs;
        onGrown(file.bytes, piece.durationMs);
      } catch (error) {
        this.#broken = true;
        this.#fail(new RecordingFailure("unwritable", "The recording could not be written.", { cause: error }));
      } finally {
        this.#waitingBytes -= bytes;
      }
    });
  }

  #fail(failure: RecordingFailure): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#ended = true;
    this.#options.onFailed(failure);
  }
}

import { MovieRecording, type MovieRecordingOptions, type RecordingFailure } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { ProgramReader } from "../program/program-reader.ts";

/** A kill loses what has come since the last fragment, ms: with what is on its way to the disk, well below two seconds. */
export const MAX_FRAGMENT_MS = 1000;
/** A program without sound is recorded once so much of it has come, ms. */
const SOUND_PATIENCE_MS = 1000;

export interface ProgramRecordingOptions extends Pick<MovieRecordingOptions, "file"> {
  /** More is safe on the disk. */
  readonly onGrown: (durationMs: number) => void;
  /** It can go no further; what is safe stays so. Once. */
  readonly onFailed: (failure: KliegError) => void;
}

/** The recording of the program, as a reader of it. */
export class ProgramRecording extends MovieRecording implements ProgramReader {
  readonly #onFailed: (failure: KliegError) => void;

  constructor({ file, onGrown, onFailed }: ProgramRecordingOptions) {
    super({
      file,
      kinds: ["video", "audio"],
      soundPatienceMs: SOUND_PATIENCE_MS,
      maxFragmentMs: MAX_FRAGMENT_MS,
      onGrown: (_bytes, durationMs) => onGrown(durationMs),
      onFailed: (failure) => onFailed(recordingError(failure)),
    });
    this.#onFailed = onFailed;
  }

  onRemoved(error: unknown): void {
    this.#onFailed(new KliegError("internal", "The recording cannot go on.", { cause: error }));
  }
}

/** Why a recording goes no further, for its operator. */
export function recordingError(failure: RecordingFailure): KliegError {
  const options = { cause: failure };
  switch (failure.reason) {
    case "unwritable":
      return KliegError.from(failure.cause);
    case "unreadable":
      return new KliegError("media_malformed", `The recording cannot go on: ${failure.message}.`, options);
    case "too_large":
    case "too_slow":
      return new KliegError("storage_unavailable", failure.message, options);
  }
}

import { type Clock, Emitter } from "@klieg/base";
import { KliegError, type RecordingState } from "@klieg/protocol";
import type { ProgramFeed } from "../program/program-feed.ts";
import { Recording } from "./recording.ts";
import { RecordingFile, recordingName } from "./recording-file.ts";

export interface RecorderEvents {
  state: RecordingState;
}

/** What was kept, once it is whole. */
export interface KeptRecording {
  readonly path: string;
  readonly duration_ms: number;
  readonly bytes: number;
}

export interface RecorderOptions {
  readonly clock: Clock;
  readonly feed: Pick<ProgramFeed, "addReader">;
}

/**
 * What is left free on the disk of a recording, bytes, so that the show and the settings can still be saved; never more than a
 * quarter of what was recorded.
 */
const RESERVE = 64 * 1024 * 1024;
const OFF: RecordingState = {
  state: "off",
  path: null,
  duration_ms: 0,
  bytes: 0,
  free_bytes: null,
  problem: null,
};

/** Records the program, one file at a time. Whatever becomes of a recording, the broadcast goes on. */
export class Recorder implements AsyncDisposable {
  readonly events = new Emitter<RecorderEvents>();
  readonly #options: RecorderOptions;
  #state = OFF;
  #current: { readonly recording: Recording; readonly file: RecordingFile; readonly place: Disposable } | undefined;
  /** Starts and stops, one after another. */
  #work: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  get state(): RecordingState {
    return this.#state;
  }

  /** Begins a recording with the next keyframe of the program; where one is made already, that goes on. @throws {KliegError} */
  start(folder: string): Promise<RecordingState> {
    return this.#inTurn(async () => {
      if (this.#current !== undefined) return this.#state;
      if (this.#closed) throw new KliegError("shutting_down", "The studio is closing.");
      const { clock, feed } = this.#options;
      this.#become({ ...OFF, state: "starting" });
      let file: RecordingFile;
      try {
        file = await RecordingFile.create(folder, recordingName("Klieg", clock.wall()));
      } catch (error) {
        this.#become({ ...OFF, state: "failed", problem: KliegError.from(error).toBody().error });
        throw error;
      }
      const free_bytes = await file.freeBytes();
      const recording: Recording = new Recording({
        file,
        onGrown: (durationMs) => void this.#grown(recording, durationMs),
        onFailed: (failure) => this.#failed(recording, failure),
      });
      this.#become({ ...OFF, state: "starting", path: file.path, free_bytes });
      this.#current = { recording, file, place: feed.addReader(recording) };
      return this.#state;
    });
  }

  /** @throws {KliegError} `conflict` where nothing is recorded. */
  stop(): Promise<KeptRecording> {
    return this.#inTurn(async () => {
      const current = this.#current;
      if (current === undefined) throw new KliegError("conflict", "Nothing is being recorded.");
      const { recording, file } = current;
      await this.#leave();
      this.#become(OFF);
      if (file.bytes === 0) throw new KliegError("conflict", "The recording was stopped before there was any picture.");
      return { path: file.path, duration_ms: recording.durationMs, bytes: file.bytes };
    });
  }

  /** Ends what is recorded, whole. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#inTurn(() => this.#leave());
    this.events.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #leave(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    current?.place[Symbol.dispose]();
    await current?.recording.close();
  }

  async #grown(recording: Recording, duration_ms: number): Promise<void> {
    const current = this.#current;
    if (current?.recording !== recording) return;
    const { file } = current;
    const free_bytes = await file.freeBytes();
    if (this.#current !== current) return;
    this.#become({ state: "recording", path: file.path, duration_ms, bytes: file.bytes, free_bytes, problem: null });
    if (free_bytes !== null && free_bytes < Math.min(RESERVE, file.bytes / 4)) {
      this.#failed(recording, new KliegError("storage_unavailable", "The recording ended: its disk is full."));
    }
  }

  #failed(recording: Recording, failure: KliegError): void {
    void this.#inTurn(async () => {
      const current = this.#current;
      if (current?.recording !== recording) return;
      const { file } = current;
      await this.#leave();
      const kept = file.bytes > 0;
      const words = kept ? `${failure.message} What was recorded until then is whole.` : failure.message;
      const { error } = new KliegError(failure.code, words).toBody();
      this.#become({
        state: "failed",
        path: kept ? file.path : null,
        duration_ms: recording.durationMs,
        bytes: file.bytes,
        free_bytes: await file.freeBytes(),
        problem: error,
      });
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#work.then(act);
    this.#work = done.catch(() => undefined);
    return done;
  }

  #become(state: RecordingState): void {
    this.#state = state;
    this.events.emit("state", state);
  }
}

import { type Clock, Emitter } from "@klieg/base";
import type { FfmpegBinary } from "@klieg/ffmpeg";
import { KliegError, type ProgramFrame, type RecordingState } from "@klieg/protocol";
import type { ProgramFeed } from "../program/program-feed.ts";
import { IsolatedRecordings } from "./isolated-recordings.ts";
import type { IsolatedSource } from "./isolated-source.ts";
import { ProgramRecording } from "./program-recording.ts";
import { RecordingFile, recordingName } from "./recording-file.ts";

export interface RecorderEvents {
  state: RecordingState;
  /** Something that the operator should know, and that does not end the recording. */
  problem: KliegError;
  /** The number of a source that is recorded by itself, of whose picture nothing can be recorded before a keyframe. */
  keyframe_wanted: number;
}

/** What was kept, once it is whole. */
export interface KeptRecording {
  readonly path: string;
  readonly duration_ms: number;
  readonly bytes: number;
}

export interface RecorderOptions {
  readonly clock: Clock;
  readonly feed: Pick<ProgramFeed, "addReader" | "pageOffset">;
  /** Encodes the sound of sources that are recorded by themselves; undefined: there is none. */
  readonly ffmpeg: FfmpegBinary | undefined;
}

/** One recording of the program, and those of its sources. */
interface Current {
  readonly recording: ProgramRecording;
  readonly file: RecordingFile;
  readonly place: Disposable;
  readonly isolated: IsolatedRecordings;
}

/**
 * What is left free on the disk of a recording, bytes, so that the show and the settings can still be saved; never more than a
 * quarter of what was recorded.
 */
const RESERVE = 64 * 1024 * 1024;
/** The same for recordings of sources, which give way to the program's; never more than half of what was recorded. */
const ISOLATED_RESERVE = 256 * 1024 * 1024;
/** Numbers of recordings of sources; 0 is the program's. */
const HIGHEST_NUMBER = 0xffff;
const OFF: RecordingState = {
  state: "off",
  path: null,
  duration_ms: 0,
  bytes: 0,
  free_bytes: null,
  problem: null,
};

/** Records the program, one file at a time, and sources beside it. Whatever becomes of a recording, the broadcast goes on. */
export class Recorder implements AsyncDisposable {
  readonly events = new Emitter<RecorderEvents>();
  readonly #options: RecorderOptions;
  #state = OFF;
  #current: Current | undefined;
  #sources: readonly IsolatedSource[] = [];
  #audioBitrate = 0;
  #lastNumber = 0;
  /** Starts and stops, one after another. */
  #work: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  get state(): RecordingState {
    return this.#state;
  }

  /**
   * Which sources are recorded by themselves while the program is, from now on.
   * @param audioBitrate of their sound, bits/s.
   */
  isolate(sources: readonly IsolatedSource[], audioBitrate: number): void {
    this.#sources = sources;
    this.#audioBitrate = audioBitrate;
    void this.#current?.isolated.follow(sources, audioBitrate);
  }

  /** Takes a frame of a source that is recorded by itself. @throws {KliegError} for what cannot be right. */
  pushIsolated(frame: ProgramFrame): void {
    this.#current?.isolated.push(frame);
  }

  /** What comes of sources from now on is another page's. */
  pageGone(): void {
    this.#current?.isolated.pageGone();
  }

  /** Begins a recording with the next keyframe of the program; where one is made already, that goes on. @throws {KliegError} */
  start(folder: string): Promise<RecordingState> {
    return this.#inTurn(async () => {
      if (this.#current !== undefined) return this.#state;
      if (this.#closed) throw new KliegError("shutting_down", "The studio is closing.");
      const { clock, feed, ffmpeg } = this.#options;
      this.#become({ ...OFF, state: "starting" });
      let file: RecordingFile;
      try {
        file = await RecordingFile.create(folder, recordingName("Klieg", clock.wall()));
      } catch (error) {
        this.#become({ ...OFF, state: "failed", problem: KliegError.from(error).toBody().error });
        throw error;
      }
      const free_bytes = await file.freeBytes();
      const recording: ProgramRecording = new ProgramRecording({
        file,
        onGrown: (durationMs) => void this.#grown(recording, durationMs),
        onFailed: (failure) => this.#failed(recording, failure),
      });
      const isolated: IsolatedRecordings = new IsolatedRecordings({
        clock,
        ffmpeg,
        program: file.path,
        nextNumber: () => this.#nextNumber(),
        pageOffset: () => feed.pageOffset,
        zero: () => recording.zero,
        onChanged: () => {
          if (this.#current?.isolated === isolated) this.#become(this.#state);
        },
        onKeyframeWanted: (number) => this.events.emit("keyframe_wanted", number),
        onProblem: (problem) => this.events.emit("problem", problem),
      });
      this.#become({ ...OFF, state: "starting", path: file.path, free_bytes });
      this.#current = { recording, file, place: feed.addReader(recording), isolated };
      await isolated.follow(this.#sources, this.#audioBitrate);
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
      const kept = { path: file.path, duration_ms: recording.durationMs, bytes: file.bytes };
      // Told to all pages: whoever or whatever ended it, they know what there is now.
      this.#become(file.bytes === 0 ? OFF : { ...OFF, ...kept });
      if (file.bytes === 0) throw new KliegError("conflict", "The recording was stopped before there was any picture.");
      return kept;
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
    await Promise.all([current?.recording.close(), current?.isolated.close()]);
  }

  async #grown(recording: ProgramRecording, duration_ms: number): Promise<void> {
    const current = this.#current;
    if (current?.recording !== recording) return;
    const { file, isolated } = current;
    const free_bytes = await file.freeBytes();
    if (this.#current !== current) return;
    if (free_bytes !== null && free_bytes < Math.min(ISOLATED_RESERVE, (file.bytes + isolated.bytes) / 2)) {
      const words = "The disk is nearly full: what it has left is for the program's own recording.";
      isolated.giveUp(new KliegError("storage_unavailable", words));
    }
    this.#become({ state: "recording", path: file.path, duration_ms, bytes: file.bytes, free_bytes, problem: null });
    if (free_bytes !== null && free_bytes < Math.min(RESERVE, file.bytes / 4)) {
      this.#failed(recording, new KliegError("storage_unavailable", "The recording ended: its disk is full."));
    }
  }

  #failed(recording: ProgramRecording, failure: KliegError): void {
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

  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % HIGHEST_NUMBER) + 1;
    return this.#lastNumber;
  }

  #become(state: RecordingState): void {
    this.#state = { ...state, isolated: this.#current?.isolated.states ?? [] };
    this.events.emit("state", this.#state);
  }
}

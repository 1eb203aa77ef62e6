import { basename, dirname } from "node:path";
import { type IsolatedState, KliegError, type ProgramFrame } from "@klieg/protocol";
import { IsolatedRecording, type IsolatedRecordingOptions } from "./isolated-recording.ts";
import type { IsolatedSource } from "./isolated-source.ts";
import { RecordingFile } from "./recording-file.ts";

export interface IsolatedRecordingsOptions
  extends Omit<IsolatedRecordingOptions, "source" | "number" | "file" | "audioBitrate"> {
  /** The program's own file: those of the sources lie beside it. */
  readonly program: string;
  /** A number that no other recording of a source has had lately. */
  readonly nextNumber: () => number;
}

/** Characters that some file system does not let into names. */
const NOT_IN_NAMES = /[\s\p{Cc}"*/:<>?\\|]+/gu;
const LONGEST_NAME = 60;

/** The recordings of sources that go along with one recording of the program. Whatever becomes of them, that goes on. */
export class IsolatedRecordings implements AsyncDisposable {
  readonly #options: IsolatedRecordingsOptions;
  readonly #running = new Map<string, IsolatedRecording>();
  readonly #byNumber = new Map<number, IsolatedRecording>();
  /** Made and ended one after another. */
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: IsolatedRecordingsOptions) {
    this.#options = options;
  }

  get states(): IsolatedState[] {
    return [...this.#running.values()].map(({ state }) => state);
  }

  /** Safe on the disk, all together. */
  get bytes(): number {
    return this.states.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Begins and ends recordings, so that there are those of `sources`. @param audioBitrate bits/s. */
  follow(sources: readonly IsolatedSource[], audioBitrate: number): Promise<void> {
    this.#work = this.#work.then(async () => {
      const wanted = new Map(sources.map((source) => [source.id, source]));
      for (const [id, running] of this.#running) if (!wanted.has(id)) await this.#end(running);
      for (const source of sources) {
        if (!this.#closed && !this.#running.has(source.id)) await this.#begin(source, audioBitrate);
      }
    });
    return this.#work;
  }

  /** @throws {KliegError} for what cannot be right. A frame of a recording that has ended is passed over. */
  push(frame: ProgramFrame): void {
    this.#byNumber.get(frame.isolated)?.push(frame);
  }

  /** What follows is another page's. */
  pageGone(): void {
    for (const running of this.#running.values()) running.pageGone();
  }

  /** Ends all of them, for a reason that is theirs alone. */
  giveUp(problem: KliegError): void {
    for (const running of this.#running.values()) running.fail(problem);
  }

  /** Ends all of them, whole. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.follow([], 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #begin(source: IsolatedSource, audioBitrate: number): Promise<void> {
    const { program, nextNumber, onChanged, onProblem } = this.#options;
    const number = nextNumber();
    const name = source.name.replace(NOT_IN_NAMES, " ").trim().slice(0, LONGEST_NAME).trim() || "Source";
    let file: RecordingFile;
    try {
      file = await RecordingFile.create(dirname(program), `${basename(program, ".mp4")} - ${name}`);
    } catch (error) {
      onProblem(KliegError.from(error));
      return;
    }
    const running = new IsolatedRecording({ ...this.#options, source, number, file, audioBitrate });
    this.#running.set(source.id, running);
    this.#byNumber.set(number, running);
    onChanged();
  }

  async #end(running: IsolatedRecording): Promise<void> {
    await running.close();
    this.#running.delete(running.source.id);
    this.#byNumber.delete(running.number);
    this.#options.onChanged();
  }
}

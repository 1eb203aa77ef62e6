import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Clock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { DocumentError, readDocument, writeDocument } from "../../document/document-file.ts";
import { newDocument, StudioDocument } from "../../document/studio-document.ts";
import { diskError, isMissing } from "../disk/disk-error.ts";
import { putAside, writeWholeFile } from "../disk/whole-file.ts";

const FIRST_SCENE = "Scene 1";

/** The show on the disk: one document, replaced wholly. One that is damaged is put aside, never written over. */
export class ShowStore {
  readonly #path: string;
  readonly #clock: Clock;
  #document: StudioDocument;
  #problem: string | null;
  /** What is being written, one after another. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, clock: Clock, document: StudioDocument, problem: string | null) {
    this.#path = path;
    this.#clock = clock;
    this.#document = document;
    this.#problem = problem;
  }

  /** Opens the show, or a new one where there is none or it cannot be used: {@link problem} says why. */
  static async open(path: string, clock: Clock): Promise<ShowStore> {
    const anew = (problem: string | null) => new ShowStore(path, clock, newDocument(FIRST_SCENE), problem);
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (isMissing(error)) return anew(null);
      return anew(diskError(error, "The saved show could not be read").message);
    }
    try {
      return new ShowStore(path, clock, readDocument(text), null);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      try {
        const aside = await putAside(path, clock.wall());
        return anew(`${error.message} It is kept as ${basename(aside)}, and a new one was begun.`);
      } catch (failure) {
        return anew(`${error.message} ${diskError(failure, "It could not be put aside").message}`);
      }
    }
  }

  get document(): StudioDocument {
    return this.#document;
  }

  /** Why the saved show could not be used, in words; null once another was saved. */
  get problem(): string | null {
    return this.#problem;
  }

  /**
   * @returns when it was safe on the disk, epoch ms.
   * @throws {KliegError} `bad_request` for what is no show; `payload_too_large`, `storage_unavailable`.
   */
  async save(value: unknown): Promise<number> {
    const parsed = StudioDocument.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue === undefined ? "" : `: ${issue.path.map(String).join(".")} ${issue.message}`;
      throw new KliegError("bad_request", `This is not a show that can be saved${where.slice(0, 300)}.`);
    }
    const text = writeDocument(parsed.data);
    // What could not be read again must not be written.
    try {
      readDocument(text);
    } catch (error) {
      throw new KliegError("payload_too_large", (error as DocumentError).message, { cause: error });
    }
    this.#document = parsed.data;
    const write = this.#writing.then(() => writeWholeFile(this.#path, text));
    this.#writing = write.catch(() => undefined);
    try {
      await write;
    } catch (error) {
      throw diskError(error, "The show could not be saved");
    }
    this.#problem = null;
    return this.#clock.wall();
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#writing;
  }
}

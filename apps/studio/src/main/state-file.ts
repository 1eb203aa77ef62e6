import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

/** A small JSON file of the window system's own, such as where the window was. Losing it is no loss. */
export class StateFile {
  readonly #path: string;

  constructor(file: string) {
    this.#path = file;
  }

  /** @returns undefined where there is none, or it cannot be read; anything at all where somebody else wrote it. */
  read(): unknown {
    try {
      return JSON.parse(readFileSync(this.#path, "utf8"));
    } catch {
      return undefined;
    }
  }

  /** Written whole or not at all. Synchronously, since the window is about to go. @returns whether it was. */
  write(state: unknown): boolean {
    try {
      mkdirSync(path.dirname(this.#path), { recursive: true });
      writeFileSync(`${this.#path}.new`, JSON.stringify(state), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      return true;
    } catch {
      return false;
    }
  }
}

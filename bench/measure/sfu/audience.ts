import { join } from "node:path";
import { Child } from "../../../test/harness/child.ts";
import type { Received } from "./load-viewer.ts";
import type { LoadAnswer, LoadCommand } from "./load-viewers.ts";

const ANSWER_LIMIT_MS = 60_000;

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

/** Viewers in a process of their own. */
export class Audience implements AsyncDisposable {
  readonly #child: Child;
  #commands = 0;

  /** @param cores that it may use, as `taskset` names them. */
  constructor(cores: string) {
    const program = join(import.meta.dirname, "load-viewers.ts");
    this.#child = new Child("taskset", ["-c", cores, process.execPath, program]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Adds viewers until `count` of them watch there. */
  async growTo(url: string, count: number): Promise<void> {
    const { viewers } = await this.#ask({ do: "watch", url, count: 0 });
    if (viewers < count) await this.#ask({ do: "watch", url, count: count - viewers });
  }

  /** What has come from there since the last time. */
  async read(url: string): Promise<Received> {
    return (await this.#ask({ do: "read", url })).received;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.stop("SIGKILL");
  }

  async #ask(command: Unnumbered<LoadCommand>): Promise<LoadAnswer> {
    this.#commands += 1;
    const id = this.#commands;
    this.#child.process.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    const [line] = await this.#child.line(new RegExp(`^{"id":${id},.*`), ANSWER_LIMIT_MS);
    return JSON.parse(line) as LoadAnswer;
  }
}

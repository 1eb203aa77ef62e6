import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Child } from "../child.ts";
import type { Order } from "./control.ts";

/** One thing that the app did with an API that shows nothing. */
export interface Note {
  readonly what: string;
  readonly detail: unknown;
}

/** The studio's built app on the stand-in for Electron (README.md), as a test handles it. */
export class StandInApp implements AsyncDisposable {
  readonly child: Child;
  readonly data: string;
  readonly #ownData: boolean;
  #orders = 0;

  private constructor(child: Child, data: string, ownData: boolean) {
    this.child = child;
    this.data = data;
    this.#ownData = ownData;
  }

  /**
   * @param folder the app as it was bundled.
   * @param data folder of its data, where it is not to have one of its own.
   */
  static async start(folder: string, options: { args?: readonly string[]; data?: string } = {}): Promise<StandInApp> {
    const data = options.data ?? (await mkdtemp(path.join(tmpdir(), "klieg-stand-in-")));
    const register = new URL("register.ts", import.meta.url).href;
    const child = new Child(
      process.execPath,
      ["--import", register, path.join(folder, "main.cjs"), ...(options.args ?? [])],
      { env: { KLIEG_STAND_IN_DATA: data, NODE_ENV: "production" }, graceMs: 15_000 },
    );
    return new StandInApp(child, data, options.data === undefined);
  }

  /** Everything that was noted so far. */
  get notes(): Note[] {
    return this.child.lines.flatMap((line) => {
      const match = /^stand-in (.*)$/.exec(line);
      return match === null ? [] : [JSON.parse(match[1] ?? "") as Note];
    });
  }

  /** Resolves with the first note, past or to come, of that kind. */
  async note(what: string, timeoutMs = 20_000): Promise<unknown> {
    const [, text = ""] = await this.child.line(
      new RegExp(`^stand-in (\\{"what":${JSON.stringify(what)}[,}].*)$`),
      timeoutMs,
    );
    return (JSON.parse(text) as Note).detail;
  }

  /** @returns the value of an `evaluate`. @throws where it could not be done. */
  async order(order: Order): Promise<unknown> {
    this.#orders += 1;
    const id = this.#orders;
    this.child.process.stdin.write(`${JSON.stringify({ id, ...order })}\n`);
    const [, text = ""] = await this.child.line(
      new RegExp(`^stand-in (\\{"what":"done","detail":\\{"id":${id}[,}].*)$`),
    );
    const { detail } = JSON.parse(text) as { detail: { value?: unknown; error?: string } };
    if (detail.error !== undefined) throw new Error(detail.error);
    return detail.value;
  }

  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown> {
    return this.order({ evaluate: expression });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop();
    if (this.#ownData) await rm(this.data, { recursive: true, force: true });
  }
}

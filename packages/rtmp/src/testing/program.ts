import { type ChildProcess, spawn, spawnSync } from "node:child_process";

/** Whether the program is installed here. */
export function isInstalled(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore", timeout: 5_000 }).status === 0;
}

/** Another program, run for a test; killed when disposed of. */
export class Program implements AsyncDisposable {
  /** What it has written to its error output. */
  errors = "";
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;

  constructor(program: string, args: readonly string[], cwd?: string) {
    this.#child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], ...(cwd === undefined ? {} : { cwd }) });
    this.#child.stderr?.on("data", (data) => {
      this.errors += data;
    });
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code) => resolve(code));
    });
    this.#exited.catch(() => undefined);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Its exit code, once it has ended. */
  exit(): Promise<number | null> {
    return this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface ChildOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Signal that ends it on dispose; it is killed when it does not go within `graceMs`. */
  readonly stopSignal?: NodeJS.Signals;
  readonly graceMs?: number;
  /** Its standard output is not text: `lines` has standard error only, and `process.stdout` is the test's to read. */
  readonly binaryOutput?: boolean;
  /** It starts programs of its own: it leads a process group, and signals go to the whole of it. */
  readonly group?: boolean;
}

const KEPT_LINES = 2000;

/** Somebody else's program (or our backend) as a child process, with its output kept and gone when disposed. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly command: string;
  /** Lines of standard output and standard error, in order of arrival; the oldest are dropped. */
  readonly lines: string[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #waiters = new Set<() => void>();
  readonly #options: ChildOptions;
  #running = true;

  constructor(command: string, args: readonly string[], options: ChildOptions = {}) {
    this.command = `${command} ${args.join(" ")}`;
    this.#options = options;
    this.process = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      detached: options.group ?? false,
    });
    // A program that went away while it was written to is told by its exit.
    this.process.stdin.on("error", () => undefined);
    const { stdout, stderr } = this.process;
    for (const stream of options.binaryOutput ? [stderr] : [stdout, stderr]) {
      createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => this.#onLine(line));
    }
    this.exited = new Promise((resolve, reject) => {
      this.process.once("error", reject);
      this.process.once("close", (code, signal) => {
        this.#running = false;
        for (const wake of [...this.#waiters]) wake();
        resolve({ code, signal });
      });
    });
    this.exited.catch(() => undefined);
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.command} did not start`);
    return pid;
  }

  get running(): boolean {
    return this.#running;
  }

  /** All output so far. */
  get output(): string {
    return this.lines.join("\n");
  }

  /** Resolves with the first line, past or to come, that matches. Rejects when the program ends without one. */
  async line(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    let seen = 0;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      for (; seen < this.lines.length; seen += 1) {
        const match = pattern.exec(this.lines[seen] ?? "");
        if (match !== null) return match;
      }
      if (!this.#running) throw new Error(`${this.command} ended without ${pattern}:\n${this.output}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${this.command} did not say ${pattern} in ${timeoutMs} ms:\n${this.output}`);
      await this.#change(left);
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#running) this.#kill(signal);
  }

  /** Asks it to go, insists, and waits until it is gone. */
  async stop(signal: NodeJS.Signals = this.#options.stopSignal ?? "SIGTERM"): Promise<void> {
    if (this.process.pid === undefined || !this.#running) return;
    this.#kill(signal);
    const insist = setTimeout(() => this.#kill("SIGKILL"), this.#options.graceMs ?? 5000);
    try {
      if (this.#running) await once(this.process, "close");
    } finally {
      clearTimeout(insist);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #kill(signal: NodeJS.Signals): void {
    if (!this.#options.group) {
      this.process.kill(signal);
      return;
    }
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      // Nobody of the group is left.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  #onLine(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.splice(0, this.lines.length - KEPT_LINES);
    for (const wake of [...this.#waiters]) wake();
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiters.add(wake);
    });
  }
}

/** Runs a program to its end. @throws where it fails or takes too long. @returns its output. */
export async function run(command: string, args: readonly string[], timeoutMs = 60_000): Promise<string> {
  await using child = new Child(command, args);
  const timer = setTimeout(() => child.signal("SIGKILL"), timeoutMs);
  const { code, signal } = await child.exited.finally(() => clearTimeout(timer));
  if (code !== 0) throw new Error(`${child.command} ended with ${code ?? signal}:\n${child.output}`);
  return child.output;
}

import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import type { Writable } from "node:stream";
import type { Clock } from "@klieg/base";
import { lastWords, signalGroup } from "./ffmpeg-run.ts";

/** How an FFmpeg that ran for long came to its end. */
export interface FfmpegExit {
  /** Exit code; undefined where a signal ended it or it never started. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** In words, with the last thing FFmpeg said. */
  readonly message: string;
}

export interface FfmpegProcessOptions {
  readonly path: string;
  readonly args: readonly string[];
  /** File descriptors that FFmpeg reads: 0, and 3 where there is a second input. */
  readonly inputFds: readonly number[];
  readonly clock: Clock;
  /** Path of a `setpriv` that can tie a process's life to its parent's. */
  readonly setpriv?: string | undefined;
  /** How much it gives way to other programs, as `nice` has it. Default 5. */
  readonly niceness?: number;
  /** What FFmpeg writes to its standard output; may not be kept beyond the call. */
  readonly onOutput: (chunk: Buffer) => void;
  /** What FFmpeg writes to its standard error, in pieces of any length. */
  readonly onErrorText?: ((text: string) => void) | undefined;
  /** An input that was full takes more. */
  readonly onDrain: () => void;
  /** Called once, after all output. */
  readonly onExit: (exit: FfmpegExit) => void;
}

/** FFmpeg gives way to the rest of the backend: the source rendition comes first. */
const DEFAULT_NICENESS = 5;
const STDERR_KEPT = 8192;
const TERM_AFTER_MS = 500;
const KILL_AFTER_MS = 1500;

/**
 * One running FFmpeg: its pipes, its life and its end. It is the leader of its own session, so that a signal from the
 * terminal reaches the backend alone; should the backend die, the end of its input ends it, and where `setpriv` is
 * there the kernel kills it, which also ends one that is stopped.
 */
export class FfmpegProcess implements AsyncDisposable {
  /** Resolves when the process is gone and its pipes are closed. */
  readonly exited: Promise<FfmpegExit>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #inputs = new Map<number, Writable>();
  #stderr = "";
  #exit: FfmpegExit | undefined;
  #ending = false;

  /** Never throws: a program that cannot be started exits at once. */
  constructor(options: FfmpegProcessOptions) {
    const { path, args, inputFds, setpriv } = options;
    this.#clock = options.clock;
    const { promise, resolve } = Promise.withResolvers<FfmpegExit>();
    this.exited = promise;
    const stdio: ("pipe" | "ignore")[] = ["ignore", "pipe", "pipe"];
    for (const fd of inputFds) stdio[fd] = "pipe";
    const child =
      setpriv === undefined
        ? spawn(path, args, { stdio, detached: process.platform !== "win32", windowsHide: true })
        : spawn(setpriv, ["--pdeathsig", "KILL", "--", path, ...args], { stdio, detached: true });
    this.#child = child;
    lowerPriority(child.pid, options.niceness ?? DEFAULT_NICENESS);
    for (const fd of inputFds) {
      // There are no pipes where there were too few file descriptors to start it; its error follows.
      const input = child.stdio?.[fd] as Writable | undefined;
      if (input === undefined) continue;
      input.on("error", ignoreBrokenPipe);
      input.on("drain", options.onDrain);
      this.#inputs.set(fd, input);
    }
    child.stdout?.on("data", options.onOutput);
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
      options.onErrorText?.(text);
    });
    const settle = (exit: FfmpegExit) => {
      if (this.#exit !== undefined) return;
      this.#exit = exit;
      options.onExit(exit);
      resolve(exit);
    };
    child.once("error", (error) => {
      // A kill that fails is reported here too; the process then still has its end to come.
      if (child.pid === undefined)
        settle({ code: undefined, signal: undefined, message: `could not be started: ${error.message}` });
    });
    child.once("close", (code, signal) => {
      settle({ code: code ?? undefined, signal: signal ?? undefined, message: this.#describe(code, signal) });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** The last line worth reading that FFmpeg has written to its standard error. */
  get lastWords(): string {
    return lastWords(this.#stderr);
  }

  /** Whether an input takes more without holding it in memory. */
  wantsInput(fd: number): boolean {
    if (this.#ending || this.#exit !== undefined) return false;
    return this.#inputs.get(fd)?.writableNeedDrain === false;
  }

  /** Gives FFmpeg the next bytes of an input. They must not be changed afterwards. */
  write(fd: number, chunk: Uint8Array): void {
    if (this.#ending || this.#exit !== undefined) return;
    this.#inputs.get(fd)?.write(chunk);
  }

  /** The input is over: FFmpeg finishes what it has and ends by itself. */
  endInput(): void {
    if (this.#ending) return;
    this.#ending = true;
    for (const input of this.#inputs.values()) input.end();
  }

  /** Ends the process at once, even one that is stopped or hangs. */
  kill(): void {
    this.#ending = true;
    this.#signal("SIGKILL");
    for (const input of this.#inputs.values()) input.destroy();
  }

  /** Ends the input, asks FFmpeg to end, and kills it when it has not after 1.5 s. Resolves when it is gone. Idempotent. */
  async close(): Promise<void> {
    if (this.#exit !== undefined) return;
    this.endInput();
    using _term = this.#clock.after(TERM_AFTER_MS, () => this.#signal("SIGTERM"));
    using _kill = this.#clock.after(KILL_AFTER_MS, () => this.kill());
    await this.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid !== undefined && this.#exit === undefined) signalGroup(pid, signal);
  }

  #describe(code: number | null, signal: NodeJS.Signals | null): string {
    const words = this.lastWords;
    const end = signal === null ? `ended with code ${code ?? 0}` : `was killed by ${signal}`;
    return words === "" ? end : `${end}: ${words}`;
  }
}

function ignoreBrokenPipe(): void {
  // It says that FFmpeg is gone, which its exit says too, and why.
}

function lowerPriority(pid: number | undefined, niceness: number): void {
  if (pid === undefined || niceness === 0) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // It is gone already, or the system does not allow it: the same process, only less polite.
  }
}

import { spawn } from "node:child_process";

/** How a short run of FFmpeg ended. */
export type FfmpegRun =
  | {
      readonly outcome: "exited";
      readonly code: number;
      readonly stdout: Buffer;
      readonly stderr: string;
      readonly ms: number;
    }
  | { readonly outcome: "killed"; readonly signal: NodeJS.Signals; readonly stderr: string; readonly ms: number }
  /** It was still running at the time limit and was killed. */
  | { readonly outcome: "timed_out"; readonly stderr: string; readonly ms: number }
  | { readonly outcome: "not_started"; readonly error: Error };

const MAX_STDOUT = 16 * 1024 * 1024;
const MAX_STDERR = 64 * 1024;

/**
 * Runs a program to its end, at most `timeoutMs`, without input. Keeps the first 16 MiB of its output and the last
 * 64 KiB of its errors. Never rejects.
 */
export function runFfmpeg(path: string, args: readonly string[], timeoutMs: number): Promise<FfmpegRun> {
  const { promise, resolve } = Promise.withResolvers<FfmpegRun>();
  const began = performance.now();
  const child = spawn(path, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
    windowsHide: true,
  });
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = "";
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  }, timeoutMs);
  child.stdout.on("data", (chunk: Buffer) => {
    if (stdoutBytes >= MAX_STDOUT) return;
    stdout.push(chunk);
    stdoutBytes += chunk.length;
  });
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR);
  });
  child.once("error", (error) => {
    clearTimeout(timer);
    resolve({ outcome: "not_started", error });
  });
  child.once("close", (code, signal) => {
    clearTimeout(timer);
    const ms = performance.now() - began;
    if (timedOut) resolve({ outcome: "timed_out", stderr, ms });
    else if (signal !== null) resolve({ outcome: "killed", signal, stderr, ms });
    else resolve({ outcome: "exited", code: code ?? 0, stdout: Buffer.concat(stdout), stderr, ms });
  });
  return promise;
}

/** Signals a process and all that it has started: what is called FFmpeg may be a script that runs it. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === "win32" ? leader : -leader, signal);
  } catch (error) {
    // It may have ended this moment.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** How a run that did not succeed ended, in words: the last thing that FFmpeg said, or what became of it. */
export function describeFailure(run: FfmpegRun): string {
  switch (run.outcome) {
    case "not_started":
      return `could not be started: ${run.error.message}`;
    case "timed_out":
      return `hung, and was killed after ${(run.ms / 1000).toFixed(1)} s${said(run.stderr)}`;
    case "killed":
      return `died by ${run.signal}${said(run.stderr)}`;
    case "exited":
      return `ended with code ${run.code}${said(run.stderr)}`;
  }
}

function said(stderr: string): string {
  const line = firstError(stderr) ?? lastWords(stderr);
  return line === "" ? "" : `: ${line}`;
}

/** What went wrong first is usually why the rest did. */
function firstError(stderr: string): string | undefined {
  const line = stderr.split(/[\r\n]+/).find((line) => /\[(error|fatal|panic)\]/.test(line));
  return line === undefined ? undefined : readable(line);
}

/** The last line worth reading of what FFmpeg wrote, at most 300 characters. */
export function lastWords(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== "" && !MEANINGLESS.test(line));
  return readable(lines.at(-1) ?? "");
}

/** Without log levels and the addresses of FFmpeg's objects. */
function readable(line: string): string {
  return line
    .replace(/ @ 0x[0-9a-f]+/g, "")
    .replace(/\[(panic|fatal|error|warning|info)\] /g, "")
    .trim()
    .slice(0, 300);
}

const MEANINGLESS =
  /^(\[\w+\] )?(Conversion failed!|\s*Last message repeated|Exiting normally|frame=|size=)|not enough frames to estimate rate/;

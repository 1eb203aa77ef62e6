import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { findOnPath } from "../program-path.ts";

/** What stands in for the libraries that mediasoup's build would download. */
const SUBPROJECTS = path.join(import.meta.dirname, "subprojects");
const SETUP_OPTIONS = ["--buildtype=release", "-Db_ndebug=true", "--wrap-mode=nodownload"];
/** What its source has to be told of the system's tools and libraries. */
const CHANGES = [
  // It asks for a newer meson than Debian 12 has, and uses nothing that that one has not.
  { file: "meson.build", from: "meson_version: '>= 1.1.0'", to: "meson_version: '>= 1.0.0'" },
  // Its BIO callback answers every control with 1. An OpenSSL with kernel TLS, such as Debian's, takes that for a socket
  // that encrypts by itself, allocates no buffer to write records to, and writes the first one to address 0.
  {
    file: "src/RTC/DtlsTransport.cpp",
    from: "(operationType == BIO_CB_RETURN) ? static_cast<long>(ret) : 1",
    to: "((operationType & BIO_CB_RETURN) != 0) ? static_cast<long>(ret) : 1",
  },
] as const;
/** Of a compiler at its largest. */
const MEMORY_PER_JOB = 400 * 2 ** 20;
const KEPT_LINES = 30;

/** The worker cannot be built; the message ends with what the tools said. */
export class WorkerBuildError extends Error {
  override readonly name = "WorkerBuildError";
}

export interface WorkerBuildOptions {
  /** The installed package, with the worker's source. */
  readonly mediasoup: string;
  /** The build's own folder. What a build that was cut short has left there is used again. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Identifies this recipe: changes when anything does that makes another program of the same source. */
export function recipeHash(): string {
  const hash = createHash("sha256");
  const entries = globSync("**/*", { cwd: SUBPROJECTS, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map(({ parentPath, name }) => path.relative(SUBPROJECTS, path.join(parentPath, name)));
  for (const file of files.sort()) {
    // On Windows git may have changed the line ends.
    const text = readFileSync(path.join(SUBPROJECTS, file), "utf8").replaceAll("\r\n", "\n");
    hash.update(`${file.replaceAll("\\", "/")}\0${text}\0`);
  }
  return hash
    .update(JSON.stringify([SETUP_OPTIONS, CHANGES]))
    .digest("hex")
    .slice(0, 12);
}

/**
 * Builds mediasoup's worker from the source inside its npm package against the system's libraries.
 * @returns the program's path, below the build's folder.
 * @throws {WorkerBuildError}; the signal's reason when it is aborted.
 */
export async function buildWorker(options: WorkerBuildOptions): Promise<string> {
  const { folder, signal } = options;
  const goesOn = existsSync(path.join(folder, "build", "build.ninja"));
  try {
    return await build(options);
  } catch (error) {
    signal.throwIfAborted();
    if (!goesOn || !(error instanceof WorkerBuildError)) throw error;
    // What was left may be at fault: a compiler of before an upgrade, say.
    rmSync(folder, { recursive: true, force: true });
    return build(options);
  }
}

async function build(options: WorkerBuildOptions): Promise<string> {
  const { folder, environment } = options;
  const source = path.join(folder, "source");
  const output = path.join(folder, "build");
  if (!existsSync(path.join(output, "build.ninja"))) {
    rmSync(folder, { recursive: true, force: true });
    prepareSource(options.mediasoup, source);
    await runTool("meson", ["setup", output, source, ...SETUP_OPTIONS], options);
  }
  const ninja = findOnPath("ninja", environment.PATH) ?? "ninja-build";
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / MEMORY_PER_JOB)));
  await runTool(ninja, ["-C", output, `-j${jobs}`, "mediasoup-worker"], options);
  return path.join(output, "mediasoup-worker");
}

function prepareSource(mediasoup: string, source: string): void {
  mkdirSync(source, { recursive: true });
  cpSync(path.join(mediasoup, "worker"), source, { recursive: true });
  const subprojects = path.join(source, "subprojects");
  rmSync(subprojects, { recursive: true, force: true });
  cpSync(SUBPROJECTS, subprojects, { recursive: true });
  for (const { file, from, to } of CHANGES) {
    const changed = path.join(source, file);
    const text = readFileSync(changed, "utf8");
    if (!text.includes(from)) throw new WorkerBuildError(`${file} is not the one that this recipe was made for`);
    writeFileSync(changed, text.replace(from, to));
  }
}

async function runTool(
  command: string,
  args: readonly string[],
  { environment, signal, onProgress }: WorkerBuildOptions,
): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // A group of its own: the compilers that ninja started must go with it.
  const child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const said: string[] = [];
  const onLine = (line: string) => {
    const step = /^\[(\d+)\/(\d+)\]/.exec(line);
    if (step !== null) onProgress(Number(step[1]), Number(step[2]));
    said.push(line);
    if (said.length > KEPT_LINES) said.shift();
  };
  createInterface({ input: child.stdout }).on("line", onLine);
  createInterface({ input: child.stderr }).on("line", onLine);
  const stop = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  signal.addEventListener("abort", stop);
  child.once("error", (error) => reject(new WorkerBuildError(`${command} cannot be run: ${error.message}`)));
  child.once("close", (code, by) => {
    if (code === 0) resolve();
    else if (signal.aborted) reject(signal.reason);
    else reject(new WorkerBuildError(`${command} ended with ${code ?? by}:\n${said.join("\n")}`));
  });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

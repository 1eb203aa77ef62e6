import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** What mediasoup's worker says by its exit code when it is not told the version that it works for. */
const RUNS_EXIT_CODE = 41;
const RUN_LIMIT_MS = 10_000;

/** File name of the worker program. */
export const WORKER_PROGRAM = process.platform === "win32" ? "mediasoup-worker.exe" : "mediasoup-worker";

/**
 * Folders in which `npm start` keeps workers, a folder for each build in it: this checkout's, and the user's, which all
 * checkouts share.
 */
export function workerCaches(environment: NodeJS.ProcessEnv = process.env): string[] {
  const checkout = resolve(import.meta.dirname, "../../../../.cache/mediasoup-worker");
  const home = environment.XDG_CACHE_HOME || join(homedir(), ".cache");
  return [checkout, join(home, "klieg", "mediasoup-worker")];
}

/**
 * The worker program for the mediasoup that is installed: the one that KLIEG_MEDIASOUP_WORKER names, else the newest of
 * the caches, else the one that mediasoup's own installation has fetched.
 * @returns its path; undefined where there is none. Whether it runs is for {@link tryWorkerProgram}.
 */
export function findWorkerProgram(
  environment: NodeJS.ProcessEnv = process.env,
  caches: readonly string[] = workerCaches(environment),
): string | undefined {
  if (environment.KLIEG_MEDIASOUP_WORKER) return resolve(environment.KLIEG_MEDIASOUP_WORKER);
  const mediasoup = installedMediasoup();
  if (mediasoup === undefined) return undefined;
  for (const cache of caches) {
    const cached = newestIn(cache, buildPrefix(mediasoup.version));
    if (cached !== undefined) return cached;
  }
  return statSync(mediasoup.workerProgram, { throwIfNoEntry: false }) && mediasoup.workerProgram;
}

/** What the names of the builds for one version of mediasoup begin with in a cache, on this platform. */
export function buildPrefix(version: string): string {
  return `${version}-${process.platform}-${process.arch}-`;
}

/** The mediasoup that is installed here; undefined where it was left out. */
export function installedMediasoup():
  | { readonly folder: string; readonly version: string; readonly workerProgram: string }
  | undefined {
  let folder: string;
  try {
    folder = resolve(fileURLToPath(import.meta.resolve("mediasoup")), "../../..");
  } catch {
    return undefined;
  }
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return { folder, version, workerProgram: join(folder, "worker", "out", "Release", WORKER_PROGRAM) };
}

/**
 * Starts the program to see whether it runs here: what it is linked against may have gone with an upgrade of the system.
 * @returns undefined where it runs, else why not, in words.
 */
export async function tryWorkerProgram(program: string): Promise<string | undefined> {
  const { MEDIASOUP_VERSION: _, ...environment } = process.env;
  const child = spawn(program, [], { env: environment, stdio: ["ignore", "ignore", "pipe"], timeout: RUN_LIMIT_MS });
  let words = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    words = (words + text).slice(0, 1000);
  });
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (code === RUNS_EXIT_CODE) return undefined;
    return words.trim().split("\n")[0] || `it ended with ${code ?? signal}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function newestIn(cache: string, prefix: string): string | undefined {
  let names: string[];
  try {
    names = readdirSync(cache);
  } catch {
    // Nothing has been kept there yet, or it is not ours to read.
    return undefined;
  }
  let newest: { readonly program: string; readonly mtimeMs: number } | undefined;
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const program = join(cache, name, WORKER_PROGRAM);
    const found = statSync(program, { throwIfNoEntry: false });
    if (found === undefined || (newest !== undefined && newest.mtimeMs >= found.mtimeMs)) continue;
    newest = { program, mtimeMs: found.mtimeMs };
  }
  return newest?.program;
}

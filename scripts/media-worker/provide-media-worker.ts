import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import path from "node:path";
import {
  buildPrefix,
  installedMediasoup,
  tryWorkerProgram,
  WORKER_PROGRAM,
  workerCaches,
} from "../../apps/backend/src/sfu/worker-program.ts";
import { takeLock } from "../bootstrap.mjs";
import { installDebianPackages, mayInstallDebianPackages } from "../debian-packages.ts";
import { missingPackagesInWords } from "../test/system-packages.ts";
import { missingBuildPackages } from "./build-packages.ts";
import { BuildProgress } from "./build-progress.ts";
import { fetchPrebuiltWorker, NoPrebuiltWorker } from "./prebuilt-worker.ts";
import { tryRouter } from "./router-trial.ts";
import { buildWorker, recipeHash, WorkerBuildError } from "./worker-build.ts";

/** There is no media worker and none can be had; the message says why and what to do. */
export class MediaWorkerError extends Error {
  override readonly name = "MediaWorkerError";
}

export interface MediaWorkerOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Ends everything; what was built is kept for the next time. */
  readonly signal: AbortSignal;
  /** Words for the person at the terminal, whole lines or not. */
  readonly write: (text: string) => void;
  /** Whether a line can be written over. */
  readonly terminal: boolean;
  /** This checkout's cache, then the user's. */
  readonly caches?: readonly string[];
  /** Has a program that was just made do something. @returns why it does not; undefined where it does. */
  readonly check?: (program: string) => Promise<string | undefined>;
  /** Installs packages of Debian's; undefined where this process may not. */
  readonly install?: ((names: readonly string[]) => Promise<void>) | undefined;
}

/**
 * Sees to it that there is a media worker that runs here, for the mediasoup that is installed: one that is there, else
 * mediasoup's own build, else one built here from the source in the npm package.
 * @returns the program's path.
 * @throws {MediaWorkerError}; the signal's reason when it is aborted.
 */
export async function provideMediaWorker(options: MediaWorkerOptions): Promise<string> {
  const chosen = options.environment.KLIEG_MEDIASOUP_WORKER;
  if (chosen) {
    const why = await tryWorkerProgram(chosen);
    if (why !== undefined) throw new MediaWorkerError(`KLIEG_MEDIASOUP_WORKER=${chosen} does not run: ${why}`);
    return path.resolve(chosen);
  }
  const mediasoup = installedMediasoup();
  if (mediasoup === undefined) throw new MediaWorkerError("The package mediasoup is not installed.");
  const store = new WorkerStore(options.caches ?? workerCaches(options.environment), mediasoup.version);
  const there = async () => {
    const program = await store.find();
    if (program !== undefined) return program;
    return (await tryWorkerProgram(mediasoup.workerProgram)) === undefined ? mediasoup.workerProgram : undefined;
  };

  const before = await there();
  if (before !== undefined) return before;
  const unlock = await takeLock(
    store.lockFile,
    () => options.write("Another command is installing the media worker; waiting for it …\n"),
    options.signal,
  );
  try {
    // Another command may have installed it while this one waited.
    return (await there()) ?? (await install(options, store, mediasoup));
  } finally {
    unlock();
  }
}

async function install(
  options: MediaWorkerOptions,
  store: WorkerStore,
  mediasoup: { readonly folder: string; readonly version: string },
): Promise<string> {
  const { write, environment, signal, check = tryRouter } = options;
  const fetched = store.temporaryFolder();
  let noPrebuilt: string;
  try {
    const program = await fetchPrebuiltWorker({ version: mediasoup.version, folder: fetched, environment, signal });
    chmodSync(program, 0o755);
    const why = (await tryWorkerProgram(program)) ?? (await check(program));
    if (why === undefined) {
      write("mediasoup's own media worker was fetched.\n");
      return store.keep(program, PREBUILT);
    }
    noPrebuilt = `it does not run here: ${why}`;
  } catch (error) {
    if (!(error instanceof NoPrebuiltWorker)) throw error;
    noPrebuilt = error.message;
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }

  const needs = "WebRTC (WHIP, WHEP, rooms) needs mediasoup's media worker.";
  const first = `Its prebuilt program cannot be had: ${noPrebuilt}.`;
  if (process.platform !== "linux") {
    const rest = "Run the same command again when it can be reached, or name one with KLIEG_MEDIASOUP_WORKER.";
    throw new MediaWorkerError(`${needs}\n${first}\n${rest}`);
  }
  await provideBuildPackages(options, `${needs}\n${first}\nIt can be built here.`);

  write(
    `Building mediasoup's media worker, for WebRTC. It takes some minutes, once. (Its prebuilt program cannot be had: ${noPrebuilt}.)\n`,
  );
  const started = performance.now();
  const progress = new BuildProgress({ write, terminal: options.terminal });
  try {
    const program = await buildWorker({
      mediasoup: mediasoup.folder,
      folder: store.buildFolder,
      environment,
      onProgress: (done, total) => progress.update(done, total),
      signal,
    });
    const why = (await tryWorkerProgram(program)) ?? (await check(program));
    if (why !== undefined) throw new WorkerBuildError(`what was built does not run: ${why}`);
    const kept = store.keep(program, recipeHash());
    rmSync(store.buildFolder, { recursive: true, force: true });
    progress.end();
    write(`The media worker was built in ${Math.round((performance.now() - started) / 1000)} s.\n`);
    return kept;
  } catch (error) {
    progress.end();
    if (!(error instanceof WorkerBuildError)) throw error;
    throw new MediaWorkerError(`The media worker could not be built: ${error.message}`, { cause: error });
  }
}

async function provideBuildPackages(options: MediaWorkerOptions, words: string): Promise<void> {
  let missing = missingBuildPackages(options.environment);
  let failure = "";
  const install =
    "install" in options
      ? options.install
      : mayInstallDebianPackages()
        ? (names: readonly string[]) => installDebianPackages(names, "kept")
        : undefined;
  if (missing.length > 0 && install !== undefined) {
    const names = missing.map(({ debian }) => debian);
    options.write(`Installing what the media worker is built with: ${names.join(" ")}\n`);
    try {
      await install(names);
    } catch (error) {
      failure = `${(error as Error).message}\n`;
    }
    options.signal.throwIfAborted();
    missing = missingBuildPackages(options.environment);
  }
  if (missing.length > 0) throw new MediaWorkerError(`${failure}${words} ${missingPackagesInWords(missing)}`);
}

const PREBUILT = "prebuilt";

/** The programs that are kept, by what they were made from. */
class WorkerStore {
  readonly #caches: readonly string[];
  readonly #prefix: string;

  constructor(caches: readonly string[], version: string) {
    this.#caches = caches;
    this.#prefix = buildPrefix(version);
  }

  /** In the cache that all checkouts share, where there is one: no two of them build at once. */
  get lockFile(): string {
    const shared = this.#caches.findLast(isWritable) ?? this.#own;
    return path.join(shared, "install.lock");
  }

  /** Where this checkout builds. */
  get buildFolder(): string {
    return path.join(this.#own, `.building-${recipeHash()}`);
  }

  /** The first program that runs. Those that run no more are deleted. */
  async find(): Promise<string | undefined> {
    for (const cache of this.#caches) {
      for (const build of [PREBUILT, recipeHash()]) {
        const program = this.#place(cache, build);
        if (statSync(program, { throwIfNoEntry: false }) === undefined) continue;
        if ((await tryWorkerProgram(program)) === undefined) return program;
        forget(path.dirname(program));
      }
    }
    return undefined;
  }

  temporaryFolder(): string {
    mkdirSync(this.#own, { recursive: true });
    // Left by one that was killed: nobody else is here, because of the lock.
    for (const name of readdirSync(this.#own)) {
      if (name.startsWith(".fetching-")) rmSync(path.join(this.#own, name), { recursive: true, force: true });
    }
    return mkdtempSync(path.join(this.#own, ".fetching-"));
  }

  /** Keeps a program in every cache that can be written, in place of other builds of the same version. */
  keep(program: string, build: string): string {
    for (const cache of this.#caches) {
      if (cache === this.#own || isWritable(cache)) put(program, this.#place(cache, build));
    }
    for (const name of readdirSync(this.#own)) {
      if (name.startsWith(this.#prefix) && name !== `${this.#prefix}${build}`) forget(path.join(this.#own, name));
    }
    return this.#place(this.#own, build);
  }

  get #own(): string {
    const [own] = this.#caches;
    if (own === undefined) throw new TypeError("there is no cache");
    return own;
  }

  #place(cache: string, build: string): string {
    return path.join(cache, `${this.#prefix}${build}`, WORKER_PROGRAM);
  }
}

/** Puts a copy of `program` at `place`, whole or not at all. */
function put(program: string, place: string): void {
  mkdirSync(path.dirname(place), { recursive: true });
  const half = `${place}.${process.pid}`;
  copyFileSync(program, half);
  chmodSync(half, 0o755);
  const now = new Date();
  utimesSync(half, now, now);
  renameSync(half, place);
}

function forget(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Not ours to delete: another of the same name is put beside or over it.
  }
}

function isWritable(cache: string): boolean {
  try {
    mkdirSync(cache, { recursive: true });
    rmSync(mkdtempSync(path.join(cache, ".try-")), { recursive: true });
    return true;
  } catch {
    // A home that is not there, or not ours.
    return false;
  }
}

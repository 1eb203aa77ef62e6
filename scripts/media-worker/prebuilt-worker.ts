import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { WORKER_PROGRAM } from "../../apps/backend/src/sfu/worker-program.ts";

/** Where mediasoup publishes its workers; its own installation obeys the same variable. */
const RELEASES = "https://github.com/versatica/mediasoup/releases/download";
const BASE_VARIABLE = "MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL";

/** A server that says nothing for so long is not reachable. */
const SILENCE_MS = 12_000;

/** The prebuilt worker cannot be had; the message says why. */
export class NoPrebuiltWorker extends Error {
  override readonly name = "NoPrebuiltWorker";
}

export interface PrebuiltWorkerOptions {
  /** Of mediasoup. */
  readonly version: string;
  /** An empty folder to put it into. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly silenceMs?: number;
}

/** The address of mediasoup's own build of its worker for this machine. */
export function prebuiltWorkerUrl(version: string, environment: NodeJS.ProcessEnv): string {
  const kernel = process.platform === "linux" ? `-kernel${release().split(".")[0]}` : "";
  const base = (environment[BASE_VARIABLE] || RELEASES).replace(/\/+$/, "");
  return `${base}/${version}/mediasoup-worker-${version}-${process.platform}-${process.arch}${kernel}.tgz`;
}

/**
 * Fetches mediasoup's own build of its worker.
 * @returns the program's path.
 * @throws {NoPrebuiltWorker} where there is none or it cannot be reached.
 */
export async function fetchPrebuiltWorker(options: PrebuiltWorkerOptions): Promise<string> {
  const url = prebuiltWorkerUrl(options.version, options.environment);
  const archive = path.join(options.folder, "worker.tgz");
  await download(url, archive, options.signal, options.silenceMs ?? SILENCE_MS);
  // Every system that mediasoup has a build for brings tar.
  const tar = spawn("tar", ["-xzf", archive, "-C", options.folder, WORKER_PROGRAM], { stdio: "ignore" });
  const [code] = (await once(tar, "close").catch((error: Error) => [error.message])) as [number | string | null];
  if (code !== 0) throw new NoPrebuiltWorker(`what ${url} sent cannot be unpacked (tar: ${code})`);
  return path.join(options.folder, WORKER_PROGRAM);
}

async function download(url: string, file: string, signal: AbortSignal, silenceMs: number): Promise<void> {
  const silence = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error(`silent for ${Math.round(silenceMs / 1000)} s`)), silenceMs);
  };
  heard();
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, silence.signal]) });
    if (response.status === 404) throw new NoPrebuiltWorker(`there is none for this machine (${url})`);
    if (!response.ok || response.body === null) throw new NoPrebuiltWorker(`${url} answered ${response.status}`);
    const { body } = response;
    const received = async function* () {
      for await (const chunk of body) {
        heard();
        yield chunk;
      }
    };
    await pipeline(received, createWriteStream(file));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoPrebuiltWorker) throw error;
    // What fetch throws says little; its cause says why.
    const cause = (error as Error).cause instanceof Error ? ((error as Error).cause as Error) : (error as Error);
    throw new NoPrebuiltWorker(`${new URL(url).host} cannot be reached: ${cause.message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { release } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { WORKER_PROGRAM } from "../../apps/backend/src/sfu/worker-program.ts";

/** Where mediasoup publishes its workers; its own installation obeys the same variable. */
const RELEASES = "https://github.com/versatica/mediasoup/releases/download";
const BASE_VARIABLE = "MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL";

/** A server that says nothing for so long is not reachable. */
const SILENCE_MS = 12_000;

const MAX_REDIRECTIONS = 5;

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
  const either = AbortSignal.any([signal, silence.signal]);
  try {
    const body = await open(new URL(url), either);
    body.on("data", heard);
    await pipeline(body, createWriteStream(file), { signal: either });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoPrebuiltWorker) throw error;
    const { message } = silence.signal.aborted ? (silence.signal.reason as Error) : (error as Error);
    throw new NoPrebuiltWorker(`${new URL(url).host} cannot be reached: ${message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Follows redirections: releases are kept elsewhere than they are listed. */
async function open(address: URL, signal: AbortSignal): Promise<IncomingMessage> {
  let url = address;
  for (let redirections = 0; redirections <= MAX_REDIRECTIONS; redirections += 1) {
    const request = (url.protocol === "https:" ? https.get : http.get)(url, { signal });
    const answered = once(request, "response");
    // What fails after the answer has begun, the answer tells.
    request.on("error", () => undefined);
    const [response] = (await answered) as [IncomingMessage];
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (statusCode === 404) throw new NoPrebuiltWorker(`there is none for this machine (${address})`);
    if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) {
      throw new NoPrebuiltWorker(`${address} answered ${statusCode}`);
    }
    const next = new URL(headers.location, url);
    if (url.protocol === "https:" && next.protocol !== "https:") {
      throw new NoPrebuiltWorker(`${address} leads to one that is not secure`);
    }
    url = next;
  }
  throw new NoPrebuiltWorker(`${address} leads nowhere`);
}

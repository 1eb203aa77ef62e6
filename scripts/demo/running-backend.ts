import { readFile } from "node:fs/promises";
import path from "node:path";

/** What a backend on this machine wrote down for local tools when it started. */
export interface RunningBackend {
  readonly channel: string;
  readonly streamKey: string;
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly srtPort: number;
}

const ANSWER_MS = 3000;

/**
 * The backend that uses `dataDir`, which must be up.
 * @throws {Error} in words: not started, stopped since, or its first key is not known.
 */
export async function findRunningBackend(dataDir: string): Promise<RunningBackend> {
  const file = path.join(dataDir, "bootstrap.json");
  const start = "Start one with `npm start` in another terminal, then run this again.";
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Error(`No backend has been started with the data folder ${dataDir}.\n${start}`);
    throw new Error(`${file} cannot be read: ${message}`, { cause: error });
  }
  const backend = parseBootstrap(text, file);
  try {
    const answer = await fetch(`http://localhost:${backend.httpPort}/healthz`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await answer.body?.cancel();
  } catch (error) {
    throw new Error(`The backend does not answer on port ${backend.httpPort}: it seems to have stopped.\n${start}`, {
      cause: error,
    });
  }
  return backend;
}

/** @throws {Error} where the file is not what the backend writes, or has no key. */
export function parseBootstrap(text: string, file: string): RunningBackend {
  let known: Record<string, unknown>;
  try {
    known = Object(JSON.parse(text)) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`${file} is damaged: restart the backend, which writes it anew.`, { cause: error });
  }
  const { channel, stream_key: streamKey } = known;
  const [httpPort, rtmpPort, srtPort] = [known.http_port, known.rtmp_port, known.srt_port];
  if (typeof channel !== "string" || !isPort(httpPort) || !isPort(rtmpPort) || !isPort(srtPort)) {
    throw new Error(`${file} is not what this version's backend writes: restart the backend.`);
  }
  if (typeof streamKey !== "string") {
    throw new Error(
      `The stream key of the channel ${channel} is not known on this machine any more: give one with --key.`,
    );
  }
  return { channel, streamKey, httpPort, rtmpPort, srtPort };
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}

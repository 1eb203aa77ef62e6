import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export interface WebConfig {
  /** 0: any that is free. */
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataFolder: string;
  /** Absolute; until the operator says otherwise. */
  readonly recordingFolder: string;
  /** Undefined: whatever the machine has. */
  readonly ffmpeg: string | undefined;
}

/** What was asked for cannot be; `message` is for whoever typed it. */
export class WebConfigError extends Error {
  override readonly name = "WebConfigError";
}

export const USAGE = `npm run studio:web [-- OPTION …]

  --port N      port of the page (KLIEG_STUDIO_PORT; 8090)
  --host ADDR   address to listen at (KLIEG_STUDIO_HOST; 127.0.0.1: this machine alone)
  --data PATH   folder of the show, settings and keys (KLIEG_STUDIO_DATA; .klieg-studio)
  --ffmpeg PATH FFmpeg to use (KLIEG_FFMPEG; the system's)
`;

/**
 * Options from the command line, else from the environment, else as they are usually wanted.
 * @throws {WebConfigError}
 */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): WebConfig {
  const text = { type: "string" } as const;
  let values: { port?: string; host?: string; data?: string; ffmpeg?: string };
  try {
    ({ values } = parseArgs({ args: [...args], options: { port: text, host: text, data: text, ffmpeg: text } }));
  } catch (error) {
    throw new WebConfigError(`${(error as Error).message}\n\n${USAGE}`);
  }
  const port = values.port ?? env.KLIEG_STUDIO_PORT ?? "8090";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new WebConfigError(`${port} is no port.\n\n${USAGE}`);
  const dataFolder = resolve(folder, values.data ?? env.KLIEG_STUDIO_DATA ?? ".klieg-studio");
  return {
    port: Number(port),
    host: values.host ?? env.KLIEG_STUDIO_HOST ?? "127.0.0.1",
    dataFolder,
    recordingFolder: join(dataFolder, "recordings"),
    ffmpeg: values.ffmpeg ?? env.KLIEG_FFMPEG,
  };
}

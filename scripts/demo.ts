import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { broadcastArguments } from "./demo/broadcast-arguments.ts";
import { findDemoFfmpeg } from "./demo/demo-ffmpeg.ts";
import { DEMO_USAGE, type DemoOptions, parseDemoOptions } from "./demo/demo-options.ts";
import { findRunningBackend } from "./demo/running-backend.ts";

// npm run demo: something to watch at once, on the demo channel of the backend that runs on this machine.

interface Destination {
  /** What FFmpeg publishes to, the key included. */
  readonly address: string;
  /** The same for people, without the key. */
  readonly shown: string;
  readonly watch: string | undefined;
}

async function destinationOf(options: DemoOptions): Promise<Destination> {
  if (options.url !== undefined) {
    if (options.key === undefined) throw new Error("--url needs the stream key as well: --key KEY");
    return { ...publishAddress(options.url, options.key), watch: undefined };
  }
  const dataDir = path.resolve(options.dataDir ?? (process.env.KLIEG_DATA_DIR || ".klieg"));
  const backend = await findRunningBackend(dataDir);
  const server =
    options.protocol === "srt" ? `srt://127.0.0.1:${backend.srtPort}` : `rtmp://127.0.0.1:${backend.rtmpPort}/live`;
  return {
    ...publishAddress(new URL(server), options.key ?? backend.streamKey),
    watch: `http://localhost:${backend.httpPort}/watch/${backend.channel}`,
  };
}

function publishAddress(server: URL, key: string): { address: string; shown: string } {
  const shown = server.href.replace(/\/$/, "");
  if (server.protocol !== "srt:") return { address: `${shown}/${key}`, shown };
  const address = new URL(server);
  address.searchParams.set("streamid", key);
  return { address: address.href, shown };
}

/** Runs FFmpeg until it ends or this process is told to. @returns the exit code of the demo. */
async function broadcast(options: DemoOptions, to: Destination): Promise<number> {
  const ffmpeg = await findDemoFfmpeg(options.protocol, process.env);
  process.stdout.write(
    `Broadcasting to ${to.shown} with FFmpeg ${ffmpeg.version} (${ffmpeg.videoEncoder}).\n` +
      `${to.watch === undefined ? "" : `Watch it at ${to.watch}\n`}Ctrl-C ends it.\n`,
  );
  const child = spawn(ffmpeg.path, broadcastArguments(options, ffmpeg.videoEncoder, to.address), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", (code) => resolve(code));

  let stopping = false;
  const stop = () => {
    stopping = true;
    child.kill("SIGTERM");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  createInterface(child.stderr).on("line", (line) => {
    // A library of an FFmpeg older than this machine's configuration complains of every line of it.
    if (!line.startsWith("Fontconfig warning")) process.stderr.write(`${line.replaceAll(to.address, to.shown)}\n`);
  });
  let sent = false;
  const progress = new Map<string, string>();
  createInterface(child.stdout).on("line", (line) => {
    const [name = "", value = ""] = line.split("=");
    progress.set(name, value.trim());
    if (name !== "progress") return;
    sent ||= progress.get("frame") !== "0";
    if (process.stdout.isTTY) process.stdout.write(`\r${statusLine(progress)}\u001b[K`);
  });

  const code = await ended;
  if (process.stdout.isTTY && sent) process.stdout.write("\n");
  if (code === 0 || stopping) return 0;
  process.stderr.write(
    sent
      ? "The broadcast broke off: the backend closed the connection or stopped.\n"
      : `Nothing could be sent to ${to.shown}: is the key right, and the port?\n`,
  );
  return 1;
}

function statusLine(progress: ReadonlyMap<string, string>): string {
  const time = (progress.get("out_time") ?? "").replace(/[.].*$/, "");
  const parts = [time, `${progress.get("fps")} fps`, progress.get("bitrate"), `speed ${progress.get("speed")}`];
  return parts.filter((part) => part !== undefined && part !== "" && !part.includes("N/A")).join("  ");
}

try {
  const options = parseDemoOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(DEMO_USAGE);
  else process.exitCode = await broadcast(options, await destinationOf(options));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

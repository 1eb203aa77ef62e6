import { constants, setPriority } from "node:os";
import { ConfigError, readConfig } from "../apps/backend/src/config.ts";
import { MediaWorkerError, provideMediaWorker } from "./media-worker/provide-media-worker.ts";

// Sees to it that there is a media worker, where WebRTC is wanted. With --background, beside the backend: at the lowest
// priority, until standard input ends.

const background = process.argv.includes("--background");
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort(new Stopped()));
if (background) {
  setPriority(constants.priority.PRIORITY_LOW);
  process.stdin.once("end", () => stop.abort(new Stopped())).resume();
}

class Stopped extends Error {}

try {
  if (readConfig(process.env, false).webrtc) {
    await provideMediaWorker({
      environment: process.env,
      signal: stop.signal,
      write: (text) => process.stderr.write(text),
      // The backend writes its log on the same terminal.
      terminal: !background && process.stderr.isTTY === true,
    });
  }
} catch (error) {
  if (error instanceof MediaWorkerError) {
    const rest = background ? "\nEverything else works without it; with KLIEG_WEBRTC=0 it is not looked for.\n" : "";
    process.stderr.write(`\n${error.message}\n${rest}\n`);
    process.exitCode = 1;
  } else if (error instanceof ConfigError) {
    // The backend has the words for it.
  } else if (!(error instanceof Stopped)) {
    throw error;
  }
}
// A look-up of names that nobody waits for any more would keep it alive for some seconds.
process.exit();

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { KliegError } from "@klieg/protocol";
import { CaptureBox } from "./capture-box.ts";
import { readConfig, WebConfigError } from "./config.ts";
import { InstanceLockedError } from "./instance-lock.ts";

/** Exit code for what cannot work however often it is tried (EX_CONFIG of sysexits.h). */
const EXIT_CONFIG = 78;
const REPEATED_SIGNAL_MS = 1000;
const APP = join(import.meta.dirname, "../..");

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env, process.cwd());
  const { version } = JSON.parse(readFileSync(join(APP, "package.json"), "utf8")) as { version: string };
  const box = await CaptureBox.open({ ...config, version, page: join(APP, "dist") });
  process.stdout.write(`
The studio is up.

  Open it    ${box.link}
  Data       ${config.dataFolder}

  Chrome or Edge on this machine. From another one: ssh -L ${new URL(box.link).port}:localhost:${new URL(box.link).port} THIS_MACHINE,
  then the same link there; browsers give camera and microphone only to localhost and to HTTPS.

`);
  let stopping: number | undefined;
  const stop = () => {
    if (stopping !== undefined) {
      // A terminal's Ctrl-C may reach us twice, by the group and by npm; a later signal means: do not wait.
      if (performance.now() - stopping > REPEATED_SIGNAL_MS) process.exit(1);
      return;
    }
    stopping = performance.now();
    box.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`The studio did not end in order: ${(error as Error).stack ?? error}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGHUP", stop);
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

main().catch((error: unknown) => {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (error instanceof WebConfigError || error instanceof InstanceLockedError) {
    process.stderr.write(`${message}\n`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  let words = stack ?? String(error);
  if (code === "EADDRINUSE") words = "The port is taken: choose another with --port N.";
  else if (error instanceof KliegError || code !== undefined) words = message;
  process.stderr.write(`The studio could not start: ${words}\n`);
  process.exitCode = 1;
});

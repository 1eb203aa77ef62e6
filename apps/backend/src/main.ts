import { flushCompileCache } from "node:module";
import { KliegError } from "@klieg/protocol";
import { compose } from "./compose.ts";
import { ConfigError, readConfig } from "./config.ts";

/** Exit code for a configuration that cannot work: a supervisor should not try again. (EX_CONFIG of sysexits.h) */
const EXIT_CONFIG = 78;
const REPEATED_SIGNAL_MS = 1000;

async function main(): Promise<void> {
  const config = readConfig(process.env, process.stderr.isTTY === true);
  const backend = await compose(config);
  process.stdout.write(backend.banner);
  // For the next start, also where this process is killed. Without effect where NODE_COMPILE_CACHE is not set.
  flushCompileCache();

  let stopping: { readonly at: number } | undefined;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping !== undefined) {
      // A terminal's Ctrl-C may reach us twice, by the group and by npm; a later signal means: do not wait.
      if (performance.now() - stopping.at > REPEATED_SIGNAL_MS) process.exit(1);
      return;
    }
    stopping = { at: performance.now() };
    backend.logger.info({ signal }, "shutting down");
    backend.close().then(
      () => {
        backend.logger.info({}, "bye");
        process.exitCode = 0;
      },
      (error: unknown) => {
        backend.logger.error({ err: error }, "shutdown failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGHUP", stop);
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  const known = error instanceof KliegError || (error as NodeJS.ErrnoException).code !== undefined;
  process.stderr.write(
    `Klieg could not start: ${known ? (error as Error).message : ((error as Error).stack ?? error)}\n`,
  );
  process.exitCode = 1;
});

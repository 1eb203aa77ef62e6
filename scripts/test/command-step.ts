import { spawn } from "node:child_process";
import { ONE_FAILED, ONE_PASSED, type Step } from "./step.ts";

/** Ends what has not ended by itself: a hung tool must fail, with the rest of the run still reported. */
const TIME_LIMIT_MS = 20 * 60_000;
const KILL_AFTER_MS = 10_000;

/** How a program ended: its exit code, or words for what kept it from giving one. */
export type Ending = { readonly code: number } | { readonly failure: string };

/** Runs a program in `cwd` with its output shown; it is ended after `limitMs`. */
export function runCommand(
  command: string,
  args: readonly string[],
  cwd: string,
  limitMs = TIME_LIMIT_MS,
): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const child = spawn(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  let expired = false;
  let killer: NodeJS.Timeout | undefined;
  const timer = setTimeout(() => {
    expired = true;
    child.kill("SIGTERM");
    killer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  }, limitMs);
  const end = (ending: Ending) => {
    clearTimeout(timer);
    clearTimeout(killer);
    resolve(ending);
  };
  child.once("error", (error) => end({ failure: error.message }));
  child.once("exit", (code, signal) => {
    if (expired) end({ failure: `did not end within ${limitMs / 60_000} minutes` });
    else end(code === null ? { failure: `ended by ${signal}` } : { code });
  });
  return promise;
}

/** A step that passes where a program exits with 0. */
export function commandStep(name: string, title: string, command: string, ...args: readonly string[]): Step {
  return {
    name,
    title,
    needsSystemPackages: false,
    async run({ root }) {
      const ending = await runCommand(command, args, root);
      if ("failure" in ending) return { ...ONE_FAILED, notes: [`${command} ${ending.failure}`] };
      return ending.code === 0 ? ONE_PASSED : ONE_FAILED;
    },
  };
}

import path from "node:path";
import { installDebianPackages } from "./debian-packages.ts";
import { MediaWorkerError, provideMediaWorker } from "./media-worker/provide-media-worker.ts";
import { commandStep } from "./test/command-step.ts";
import type { Step, StepCounts } from "./test/step.ts";
import { closingLine, printSummary, type StepResult } from "./test/summary.ts";
import { findMissingPackages, missingPackagesInWords } from "./test/system-packages.ts";
import { vitestStep } from "./test/vitest-step.ts";

// npm test [-- STEP… FILTER…]: everything, or the steps named; what names no step narrows down the tests of Vitest.

const ROOT = path.resolve(import.meta.dirname, "..");

const STEPS: readonly Step[] = [
  commandStep("lint", "format and lint", "biome", "check", "--colors=off", "."),
  commandStep("layering", "layers kept apart", process.execPath, "scripts/layering/check.ts"),
  commandStep("unused", "no unused files, exports or dependencies", "knip", "--no-progress", "--no-config-hints"),
  commandStep(
    "types",
    "types",
    "turbo",
    "run",
    "typecheck",
    "//#typecheck:root",
    "--continue",
    "--output-logs=errors-only",
  ),
  vitestStep("unit", "units, properties, short fuzzing", false),
  commandStep("pages", "player and studio build", process.execPath, "scripts/page-builds.ts"),
  commandStep("size", "the player's first load within its budget", process.execPath, "apps/player/scripts/size.ts"),
  vitestStep("wire", "bytes and playlists, with other people's programs", true),
  vitestStep("interop", "other people's encoders, players and servers", true),
  vitestStep("players", "ours and other people's players in a browser", true),
  vitestStep("browser", "player and studio in a browser", true),
  vitestStep("chaos", "bad days", true),
];

const args = process.argv.slice(2);
const names = new Set(STEPS.map(({ name }) => name));
const filters = args.filter((arg) => !names.has(arg));
const chosen = args.length === filters.length ? STEPS : STEPS.filter(({ name }) => args.includes(name));
if (filters.length > 0 && args.length === filters.length) {
  process.stderr.write(
    `To run only some tests, name the step first: ${[...names].join(", ")}\nFor example: npm test -- unit ${filters.join(" ")}\n`,
  );
  process.exit(2);
}

const lacking = chosen.some((step) => step.needsSystemPackages)
  ? [await provideSystemPackages(), await provideWorker()].filter((each) => each !== undefined).join(", ")
  : "";

const results: StepResult[] = [];
for (const step of chosen) {
  process.stdout.write(`\n━━ ${step.name}: ${step.title}\n`);
  const started = performance.now();
  const counts = await runStep(step);
  results.push({ step, counts, elapsedMs: performance.now() - started });
}
printSummary(results);
const failed = results.some(({ counts }) => counts.failed > 0);
process.stdout.write(`${closingLine(results)}\n`);
process.exitCode = failed ? 1 : 0;

async function runStep(step: Step): Promise<StepCounts> {
  if (step.needsSystemPackages && lacking !== "") {
    return { passed: 0, failed: 0, skipped: 1, notes: [`skipped: without ${lacking}`] };
  }
  try {
    return await step.run({ root: ROOT, filters });
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, notes: [error instanceof Error ? error.message : String(error)] };
  }
}

/**
 * Sees to it that the programs are there that the tests run against. Where they cannot be had the whole run stops
 * with words, unless KLIEG_TEST_WITHOUT_PEERS=1 asks to go on and count those steps as skipped.
 * @returns the names of what the steps must do without; undefined where nothing is missing.
 */
async function provideSystemPackages(): Promise<string | undefined> {
  let { missing, installable } = findMissingPackages();
  if (missing.length > 0 && installable) {
    const names = missing.map(({ debian }) => debian);
    process.stdout.write(`Installing what tests need: ${names.join(" ")}\n`);
    try {
      await installDebianPackages(names, "shown");
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
    missing = findMissingPackages().missing;
  }
  if (missing.length === 0) return undefined;
  process.stderr.write(`\n${missingPackagesInWords(missing)}\n`);
  if (process.env.KLIEG_TEST_WITHOUT_PEERS === "1") return missing.map(({ debian }) => debian).join(", ");
  stopForWantOfPeers();
}

/**
 * Sees to it that there is a media worker; where there is none and none can be had, the same as above.
 * @returns its name where the steps must do without it.
 */
async function provideWorker(): Promise<string | undefined> {
  try {
    await provideMediaWorker({
      environment: process.env,
      signal: new AbortController().signal,
      write: (text) => process.stdout.write(text),
      terminal: process.stdout.isTTY === true,
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof MediaWorkerError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    if (process.env.KLIEG_TEST_WITHOUT_PEERS === "1") return "mediasoup's media worker";
    stopForWantOfPeers();
  }
}

function stopForWantOfPeers(): never {
  process.stderr.write(
    "Or run what needs none of them: npm test -- lint layering unused types unit pages size\n" +
      "Or everything else, with these checks counted as skipped: KLIEG_TEST_WITHOUT_PEERS=1 npm test\n\n",
  );
  process.exit(1);
}

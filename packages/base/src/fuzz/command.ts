import { globSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { FuzzTarget } from "./fuzz-target.ts";
import { FuzzFailure, runFuzz } from "./run-fuzz.ts";

// node command.ts [--seconds N] [--seed N] [TARGET…]: fuzzes every target in the repository below the working directory,
// or those named, for N seconds each (60 by default) from a seed (by default another one each time). Fails when one does.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const maxMs = Number(values.seconds) * 1000;
if (!Number.isFinite(seed) || !Number.isFinite(maxMs)) throw new Error("--seconds and --seed take numbers");

const targets: FuzzTarget[] = [];
for (const file of globSync("{packages,apps}/*/src/**/*.fuzz.ts").sort()) {
  const { fuzzTargets } = (await import(pathToFileURL(resolve(file)).href)) as { fuzzTargets?: FuzzTarget[] };
  if (fuzzTargets === undefined) throw new Error(`${file} exports no fuzzTargets`);
  targets.push(...fuzzTargets);
}
const chosen = positionals.length === 0 ? targets : targets.filter((target) => positionals.includes(target.name));
if (chosen.length === 0)
  throw new Error(`no such target; there are: ${targets.map((target) => target.name).join(", ")}`);

let failures = 0;
for (const target of chosen) {
  try {
    const report = await runFuzz(target, { seed, maxMs, maxRuns: Number.POSITIVE_INFINITY });
    const perSecond = Math.round((report.runs / report.elapsedMs) * 1000);
    console.log(
      `ok    ${report.name}: ${report.runs} runs (${perSecond}/s), ${report.rejected} rejected, seed ${seed}`,
    );
  } catch (error) {
    failures += 1;
    console.error(`FAIL  ${error instanceof FuzzFailure ? error.message : String(error)}`);
    if (error instanceof Error && error.cause !== undefined) console.error(error.cause);
  }
}
process.exitCode = failures === 0 ? 0 : 1;

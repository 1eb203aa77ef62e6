import { globSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Section } from "../bench/section.ts";
import { describeMachine } from "./bench/machine.ts";
import { withSection } from "./bench/results.ts";
import { MediaWorkerError, provideMediaWorker } from "./media-worker/provide-media-worker.ts";
import { runCommand } from "./test/command-step.ts";

// npm run bench [-- NAME…]: runs the benches of bench/, or those named, and writes bench/RESULTS.md.

const ROOT = path.resolve(import.meta.dirname, "..");
const RESULTS = path.join(ROOT, "bench/RESULTS.md");
const SUFFIX = ".bench.ts";
/** A bench that has not ended by then hangs; the memory of a show alone is looked at for twenty minutes. ms. */
const TIME_LIMIT_MS = 40 * 60_000;

const wanted = process.argv.slice(2);
const all = globSync(`bench/*${SUFFIX}`, { cwd: ROOT }).sort();
const names = all.map((file) => path.basename(file, SUFFIX));
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0 || all.length === 0) {
  process.stderr.write(`No bench ${unknown.join(", ")}; there are: ${names.join(", ") || "none yet"}\n`);
  process.exit(2);
}

const machine = describeMachine();
process.stdout.write(`${machine}\n`);
await provideMediaWorker({
  environment: process.env,
  signal: new AbortController().signal,
  write: (text) => process.stdout.write(text),
  terminal: process.stdout.isTTY === true,
}).catch((error: unknown) => {
  if (!(error instanceof MediaWorkerError)) throw error;
  // The benches of WebRTC fail by themselves; the others need none.
  process.stderr.write(`${error.message}\n`);
});
const failures: string[] = [];
// The pages that are measured are those of this source, not of the last build.
const pages = await runCommand(process.execPath, ["scripts/page-builds.ts"], ROOT, TIME_LIMIT_MS);
if ("failure" in pages || pages.code !== 0) failures.push("player and studio could not be built");
for (const file of all.filter((_, index) => wanted.length === 0 || wanted.includes(names[index] ?? ""))) {
  process.stdout.write(`\n━━ ${path.basename(file, SUFFIX)}\n`);
  failures.push(...(await runBench(path.join(ROOT, file))));
}
process.stdout.write(`\n${failures.length === 0 ? "Every budget holds." : failures.join("\n")}\n`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** @returns a line for each thing that went wrong. */
async function runBench(file: string): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "klieg-bench-"));
  try {
    const output = path.join(folder, "section.json");
    const runner = path.join(import.meta.dirname, "bench/run-bench.ts");
    const ending = await runCommand(process.execPath, ["--expose-gc", runner, file, output], ROOT, TIME_LIMIT_MS);
    if ("failure" in ending) return [`${path.basename(file)} ${ending.failure}`];
    if (ending.code !== 0) return [`${path.basename(file)} exited with ${ending.code}`];
    const { name, section } = JSON.parse(await readFile(output, "utf8")) as { name: string; section: Section };
    const before = await readFile(RESULTS, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    await writeFile(RESULTS, withSection(before, name, section, machine, new Date()));
    for (const { what, measured, budget, holds } of section.verdicts) {
      process.stdout.write(`${holds ? "ok  " : "MISS"} ${what}: ${measured} (budget ${budget})\n`);
    }
    return section.verdicts
      .filter(({ holds }) => !holds)
      .map(({ what, measured, budget }) => `${name}: ${what} is ${measured}, the budget ${budget}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

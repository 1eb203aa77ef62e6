import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import type { BenchModule } from "../../bench/section.ts";

// node run-bench.ts MODULE OUTPUT: runs one bench in this process and writes what it found as JSON.

const [moduleFile, outputFile] = process.argv.slice(2);
if (moduleFile === undefined || outputFile === undefined)
  throw new Error("a bench and a file for its result are wanted");
const { name, run } = (await import(pathToFileURL(moduleFile).href)) as Partial<BenchModule>;
if (typeof name !== "string" || typeof run !== "function") {
  throw new Error(`${moduleFile} does not export name and run, see bench/README.md`);
}
await writeFile(outputFile, JSON.stringify({ name, section: await run() }));

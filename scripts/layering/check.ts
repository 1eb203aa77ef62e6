import { readdirSync, readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { ICruiseOptions, ICruiseResult, IFlattenedRuleSet } from "dependency-cruiser";

const require = createRequire(import.meta.url);

// dependency-cruiser reads TypeScript with the compiler's parser, which TypeScript 7 no longer offers to JavaScript.
// It gets the older one that this folder depends on; everything else of the repository keeps its own.
registerHooks({
  resolve(specifier, context, next) {
    const wanted = specifier === "typescript" || specifier.startsWith("typescript/");
    if (!wanted || !context.parentURL?.includes("/dependency-cruiser/")) return next(specifier, context);
    return { url: pathToFileURL(require.resolve(specifier)).href, shortCircuit: true };
  },
});

/** A module that imports what a rule forbids. */
export interface Violation {
  readonly rule: string;
  /** Path of the importing module, relative to the checked root, with forward slashes. */
  readonly from: string;
  readonly to: string;
  /** Why the rule is there. */
  readonly comment: string;
}

export interface LayeringReport {
  readonly modules: number;
  readonly violations: readonly Violation[];
}

const SOURCE = /[.]tsx?$/;
const SKIPPED = new Set(["node_modules", "dist", "coverage", ".turbo"]);

/**
 * Checks every TypeScript module under `folders` of `root` against .dependency-cruiser.cjs.
 * @throws {Error} when a module could not be read: what is not seen is not checked.
 */
export async function checkLayering(root: string, folders: readonly string[]): Promise<LayeringReport> {
  const { cruise } = await import("dependency-cruiser");
  const { forbidden, options } = require("../../.dependency-cruiser.cjs") as {
    forbidden: IFlattenedRuleSet["forbidden"];
    options: ICruiseOptions & { enhancedResolveOptions: Record<string, unknown> };
  };
  const { enhancedResolveOptions, ...rest } = options;
  const result = await cruise(
    [...folders],
    { ...rest, baseDir: root, ruleSet: { forbidden }, validate: true } as ICruiseOptions,
    enhancedResolveOptions,
  );
  const { modules, summary } = result.output as ICruiseResult;
  const seen = new Set(modules.map((module) => module.source));
  const unseen = folders.flatMap((folder) => sources(root, folder)).filter((file) => !seen.has(file));
  if (unseen.length > 0) throw new Error(`The layering check did not see ${unseen.join(", ")}`);
  const comments = new Map(forbidden?.map((rule) => [rule.name, rule.comment ?? ""]));
  return {
    modules: modules.filter((module) => SOURCE.test(module.source)).length,
    violations: summary.violations.map((violation) => ({
      rule: violation.rule.name,
      from: violation.from,
      to: violation.cycle === undefined ? violation.to : violation.cycle.map((step) => step.name).join(" → "),
      comment: comments.get(violation.rule.name) ?? "",
    })),
  };
}

function sources(root: string, folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) found.push(...sources(root, file));
    // An empty module has nothing to check and is left out of the result.
    else if (entry.isFile() && SOURCE.test(entry.name) && readFileSync(path.join(root, file)).length > 0)
      found.push(file);
  }
  return found;
}

if (import.meta.main) {
  const root = path.resolve(import.meta.dirname, "../..");
  const report = await checkLayering(root, ["packages", "apps"]);
  for (const { rule, from, to, comment } of report.violations) {
    process.stdout.write(`${from} → ${to}\n  ${rule}: ${comment}\n`);
  }
  process.stdout.write(`Layering: ${report.modules} modules, ${report.violations.length} violations\n`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

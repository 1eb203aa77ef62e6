import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { runCommand } from "./command-step.ts";
import type { Step, StepCounts } from "./step.ts";

/** What is read of Vitest's JSON report. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    /** The file. */
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** A step that runs one project of vitest.config.ts. */
export function vitestStep(project: string, title: string, needsSystemPackages: boolean): Step {
  return {
    name: project,
    title,
    needsSystemPackages,
    async run({ root, filters }) {
      const folder = await mkdtemp(path.join(tmpdir(), "klieg-test-"));
      const reportFile = path.join(folder, "report.json");
      try {
        const vitest = createRequire(path.join(root, "package.json")).resolve("vitest/package.json");
        const args = [path.join(path.dirname(vitest), "vitest.mjs"), "run", "--project", project, "--passWithNoTests"];
        const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
        const ending = await runCommand(process.execPath, [...args, ...reporters, ...filters], root);
        const report = await readFile(reportFile, "utf8").then(
          (text) => JSON.parse(text) as VitestReport,
          (error: NodeJS.ErrnoException) => {
            if (error.code === "ENOENT") return undefined;
            throw error;
          },
        );
        if ("failure" in ending) return countTests(report, 1, [`Vitest ${ending.failure}`], root);
        return countTests(report, ending.code, [], root);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/**
 * Counts of a report. A file that failed outside its tests counts as a failure, and so does an exit code that no
 * failed test explains (an error between tests, say); no test at all is a skipped check.
 */
export function countTests(
  report: VitestReport | undefined,
  exitCode: number,
  notes: readonly string[],
  root: string,
): StepCounts {
  const files = report?.testResults ?? [];
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const broken = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  let failed = (report?.numFailedTests ?? 0) + broken.length;
  const lines = [...notes, ...broken.map((file) => `${path.relative(root, file.name)} failed outside its tests`)];
  if (exitCode !== 0 && failed === 0) {
    failed = 1;
    if (lines.length === 0) lines.push(`Vitest exited with ${exitCode}, though no test failed`);
  }
  for (const file of files) {
    for (const test of file.assertionResults) {
      if (test.status === "failed") lines.push(`failed: ${path.relative(root, file.name)}: ${test.fullName}`);
      if (test.status === "pending" || test.status === "skipped" || test.status === "todo") {
        lines.push(`skipped: ${path.relative(root, file.name)}: ${test.fullName}`);
      }
    }
  }
  if (passed + failed + skipped === 0) return { passed, failed, skipped: 1, notes: [...lines, "there are no tests"] };
  return { passed, failed, skipped, notes: lines };
}

import type { Step, StepCounts } from "./step.ts";

/** A step that has run. */
export interface StepResult {
  readonly step: Step;
  readonly counts: StepCounts;
  readonly elapsedMs: number;
}

/** Notes shown for each step; the full list stands in the step's own output above. */
const MAX_NOTES = 30;

/** Prints a line for each step, with its notes below. */
export function printSummary(results: readonly StepResult[], out: NodeJS.WritableStream = process.stdout): void {
  const width = Math.max(...results.map(({ step }) => step.name.length));
  out.write("\n━━ summary\n");
  for (const { step, counts, elapsedMs } of results) {
    const verdict = counts.failed > 0 ? "FAIL" : counts.passed > 0 ? "ok  " : "skip";
    const seconds = `${(elapsedMs / 1000).toFixed(1)} s`.padStart(8);
    out.write(`${verdict} ${step.name.padEnd(width)} ${seconds}  ${inWords(counts)}  ${step.title}\n`);
    for (const note of counts.notes.slice(0, MAX_NOTES)) out.write(`       ${note}\n`);
    if (counts.notes.length > MAX_NOTES) out.write(`       and ${counts.notes.length - MAX_NOTES} more\n`);
  }
  const total = results.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
  out.write(`${Math.floor(total / 60_000)} min ${Math.round((total % 60_000) / 1000)} s in all\n\n`);
}

/** `N passed, N failed, N skipped`: the tests and checks of all steps together. */
export function closingLine(results: readonly StepResult[]): string {
  const sum = (key: "passed" | "failed" | "skipped") => results.reduce((total, { counts }) => total + counts[key], 0);
  return `${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`;
}

function inWords({ passed, failed, skipped }: StepCounts): string {
  const parts = [`${passed} passed`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return parts.join(", ");
}

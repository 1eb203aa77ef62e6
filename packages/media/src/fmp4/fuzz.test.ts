import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { expect, test } from "vitest";
import { fuzzTargets as targets } from "./fmp4.fuzz.ts";

for (const target of targets) {
  test(`fuzz ${target.name}`, async () => {
    const report = await runFuzz(target, testBudget());
    expect(report.rejected).toBeLessThan(report.runs);
  });
}

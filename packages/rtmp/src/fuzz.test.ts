import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { expect, test } from "vitest";
import { fuzzTargets as targets } from "./rtmp.fuzz.ts";

for (const target of targets) {
  test(`fuzz ${target.name} (SEC5)`, async () => {
    const report = await runFuzz(target, testBudget());
    expect(report.runs).toBeGreaterThan(0);
  });
}

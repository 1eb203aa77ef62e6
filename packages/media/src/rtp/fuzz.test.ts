import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { expect, test } from "vitest";
import { fuzzTargets } from "./rtp.fuzz.ts";

for (const target of fuzzTargets) {
  test(`fuzz ${target.name} (SEC5)`, async () => {
    const report = await runFuzz(target, testBudget());
    expect(report.runs).toBeGreaterThan(10);
  });
}

import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import { fuzzTargets } from "./mpegts.fuzz.ts";

for (const target of fuzzTargets) {
  test(`fuzz ${target.name} (SEC5)`, () => runFuzz(target, testBudget()));
}

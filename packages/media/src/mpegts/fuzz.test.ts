import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import targets from "./mpegts.fuzz.ts";

for (const target of targets) {
  test(`fuzz ${target.name} (SEC5)`, () => runFuzz(target, testBudget()));
}

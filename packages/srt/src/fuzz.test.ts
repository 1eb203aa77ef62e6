import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import { fuzzTargets as targets } from "./srt.fuzz.ts";

for (const target of targets) test(`SEC5: fuzz ${target.name}`, () => runFuzz(target, testBudget()));

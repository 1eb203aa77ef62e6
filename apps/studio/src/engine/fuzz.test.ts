import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import { fuzzTargets } from "./engine-session.fuzz.ts";

for (const target of fuzzTargets) test(`SEC5, STU3: fuzz ${target.name}`, () => runFuzz(target, testBudget()));

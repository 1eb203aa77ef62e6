import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import { fuzzTargets } from "./sdp.fuzz.ts";

for (const target of fuzzTargets) test(`SEC5, ING3: fuzz ${target.name}`, () => runFuzz(target, testBudget()));

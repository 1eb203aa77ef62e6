import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import { fuzzTargets } from "./room-relay.fuzz.ts";

for (const target of fuzzTargets) test(`SEC5, STU7: fuzz ${target.name}`, () => runFuzz(target, testBudget()));

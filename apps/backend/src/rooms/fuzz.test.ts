import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import { fuzzTargets } from "./room-messages.fuzz.ts";

for (const target of fuzzTargets) test(`SEC5, RTC2: fuzz ${target.name}`, () => runFuzz(target, testBudget()));

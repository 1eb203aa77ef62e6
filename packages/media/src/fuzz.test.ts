import { runFuzz, testBudget } from "@klieg/base/fuzz";
import { test } from "vitest";
import { fuzzTargets as codecs } from "./codecs.fuzz.ts";
import { fuzzTargets as flv } from "./flv/flv.fuzz.ts";

for (const target of [...codecs, ...flv]) {
  test(`fuzz ${target.name} (SEC5)`, () => runFuzz(target, testBudget()));
}

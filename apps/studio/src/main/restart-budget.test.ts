import { ManualClock } from "@klieg/base";
import { expect, test } from "vitest";
import { RestartBudget } from "./restart-budget.ts";

test("what dies again and again is not started for ever; what dies now and then is (STU9)", () => {
  const clock = new ManualClock();
  const budget = new RestartBudget(clock, { count: 3, withinMs: 60_000 });
  expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([true, true, true, false]);
  budget.reset();
  for (let hour = 0; hour < 10; hour += 1) {
    expect(budget.take()).toBe(true);
    clock.advance(30_000);
  }
});

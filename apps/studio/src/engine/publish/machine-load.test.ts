import { expect, test } from "vitest";
import { MachineLoad } from "./machine-load.ts";

const times = (user: number, idle: number) => [{ times: { user, idle, nice: 0, sys: 0, irq: 0 } }];

test("STU4: a look that comes late, and processors that are full, are told apart from the network", () => {
  let used = { user: 0, idle: 0 };
  const load = new MachineLoad(100, () => times(used.user, used.idle));
  let now = 0;
  for (; now < 2000; now += 100) {
    used = { user: now * 0.5, idle: now * 0.5 };
    expect(load.look(now)).toBe(true);
  }
  expect([load.late(now), load.full]).toEqual([false, false]);
  now += 400;
  expect(load.look(now)).toBe(false);
  expect(load.late(now + 1000)).toBe(true);
  expect(load.late(now + 2000)).toBe(false);
  used = { user: used.user + 990, idle: used.idle + 10 };
  load.look(now + 1000);
  expect(load.full).toBe(true);
});

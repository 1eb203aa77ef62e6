import { type Clock, ManualClock } from "@klieg/base";
import { expect, test } from "vitest";
import { type Scheduled, Scheduler } from "./scheduler.ts";

class Job implements Scheduled {
  deadline: number;
  readonly ran: number[] = [];
  constructor(deadline: number) {
    this.deadline = deadline;
  }
  run(now: number): void {
    this.ran.push(now / 1000);
    this.deadline = Number.POSITIVE_INFINITY;
  }
}

test("ING2: one timer serves all, in time, and none is left when nothing is due", () => {
  const clock = new ManualClock();
  const scheduler = new Scheduler(clock);
  const jobs = [new Job(30_000), new Job(10_000), new Job(10_200)];
  for (const job of jobs) scheduler.add(job);
  expect(clock.pending).toBe(1);
  clock.advance(100);
  expect(jobs.map((job) => job.ran)).toEqual([[30], [10], [10]]);
  expect(clock.pending).toBe(0);
  (jobs[0] as Job).deadline = 150_000;
  scheduler.request(150_000);
  clock.advance(49);
  expect((jobs[0] as Job).ran).toHaveLength(1);
  clock.advance(1);
  expect((jobs[0] as Job).ran).toEqual([30, 150]);
  for (const job of jobs) scheduler.delete(job);
  scheduler.request(0);
  expect(clock.pending).toBe(0);
});

test("ING2: after the process stood still, sockets are read before anything is given up", () => {
  let now = 0;
  const timers: { at: number; fn: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    wall: () => now,
    after(ms, fn) {
      const timer = { at: now + ms, fn };
      timers.push(timer);
      return { [Symbol.dispose]: () => void timers.splice(timers.indexOf(timer), 1) };
    },
    every: () => {
      throw new Error("not used");
    },
  };
  const scheduler = new Scheduler(clock);
  const job = new Job(10_000);
  scheduler.add(job);
  now = 400;
  timers.shift()?.fn();
  expect(job.ran).toEqual([]);
  expect(timers.map(({ at }) => at)).toEqual([405]);
  now = 405;
  timers.shift()?.fn();
  expect(job.ran).toEqual([405]);
});

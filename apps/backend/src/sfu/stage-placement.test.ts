import { ManualClock } from "@klieg/base";
import { describe, expect, it } from "vitest";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { SfuWorker } from "./sfu-worker.ts";
import { StagePlacement } from "./stage-placement.ts";

/** Workers that are never started. */
function workers(count: number): SfuWorker[] {
  return Array.from(
    { length: count },
    (_, index) =>
      new SfuWorker({
        index,
        listenInfos: [],
        program: "/nowhere",
        clock: new ManualClock(),
        logger: new RecordingLogger(),
      }),
  );
}

/** Seats `count` peers of a stage that uses whatever workers its peers are on. @returns how many each worker got. */
function seat(placement: StagePlacement, pool: readonly SfuWorker[], count: number): number[] {
  const used = new Set<SfuWorker>();
  const counts = pool.map(() => 0);
  for (let index = 0; index < count; index += 1) {
    const { worker } = placement.seat(used);
    used.add(worker);
    counts[worker.index] = (counts[worker.index] ?? 0) + 1;
  }
  return counts;
}

describe("RTC4: where the peers of a stage are placed", () => {
  it("is one worker up to 25, then each in turn, then evenly", () => {
    const pool = workers(4);
    expect(seat(new StagePlacement(pool), pool, 25)).toEqual([25, 0, 0, 0]);
    const other = workers(4);
    expect(seat(new StagePlacement(other), other, 60)).toEqual([25, 25, 10, 0]);
    const third = workers(4);
    expect(seat(new StagePlacement(third), third, 401)).toEqual([101, 100, 100, 100]);
  });

  it("is the worker with the least to do for each new stage", () => {
    const pool = workers(3);
    const stages = Array.from({ length: 6 }, () => new StagePlacement(pool));
    expect(stages.map((stage) => stage.seat([]).worker.index)).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it("leaves a worker on which others have far more to do", () => {
    const pool = workers(2);
    const [busy, idle] = pool;
    if (busy === undefined || idle === undefined) throw new Error("no workers");
    const placement = new StagePlacement(pool);
    expect(placement.seat([]).worker).toBe(busy);
    for (let index = 0; index < 100; index += 1) busy.occupy();
    expect(placement.seat([busy]).worker).toBe(idle);
  });

  it("has its home where most of its peers are, and counts none that have left", () => {
    const pool = workers(2);
    const [first, second] = pool;
    if (first === undefined || second === undefined) throw new Error("no workers");
    const placement = new StagePlacement(pool);
    expect(placement.home([])).toBe(first);
    const seats = Array.from({ length: 30 }, (_, index) => placement.seat(index < 26 ? [first] : [first, second]));
    expect(placement.home([first, second])).toBe(first);
    for (const seat of seats.slice(0, 25)) seat[Symbol.dispose]();
    expect(placement.home([first, second])).toBe(second);
    for (const seat of seats) seat[Symbol.dispose]();
    expect(pool.map(({ load }) => load)).toEqual([0, 0]);
  });

  it("is said to be nowhere where there is no worker", () => {
    expect(() => new StagePlacement([]).seat([])).toThrow(expect.objectContaining({ code: "webrtc_unavailable" }));
  });
});

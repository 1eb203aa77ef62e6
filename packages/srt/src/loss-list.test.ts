import fc from "fast-check";
import { expect, test } from "vitest";
import { LossList } from "./loss-list.ts";

type Step =
  | { kind: "add"; first: number; size: number }
  | { kind: "append"; gap: number; size: number }
  | { kind: "remove" | "before"; at: number }
  | { kind: "shift" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), first: fc.nat(100), size: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant("append" as const), gap: fc.nat(3), size: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constantFrom("remove" as const, "before" as const), at: fc.nat(130) }),
  fc.record({ kind: fc.constant("shift" as const) }),
);

test("ING2: a loss list holds what a set would hold", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const list = new LossList();
      const model = new Set<number>();
      for (const each of steps) {
        if (each.kind === "add") {
          list.add(each.first, each.first + each.size - 1);
          for (let index = 0; index < each.size; index++) model.add(each.first + index);
        } else if (each.kind === "append") {
          const first = Math.max(-1, ...model) + 1 + each.gap;
          list.append(first, first + each.size - 1);
          for (let index = 0; index < each.size; index++) model.add(first + index);
        } else if (each.kind === "remove") {
          expect(list.has(each.at)).toBe(model.has(each.at));
          expect(list.remove(each.at)).toBe(model.delete(each.at));
        } else if (each.kind === "before") {
          const below = [...model].filter((number) => number < each.at);
          for (const number of below) model.delete(number);
          expect(list.removeBefore(each.at)).toBe(below.length);
        } else {
          const least = model.size === 0 ? undefined : Math.min(...model);
          if (least !== undefined) model.delete(least);
          expect(list.shift()).toBe(least);
        }
        const held: number[] = [];
        for (let index = 0; index < list.ranges; index++) {
          for (let number = list.firstOf(index); number <= list.lastOf(index); number++) held.push(number);
        }
        expect(held).toEqual([...model].sort((left, right) => left - right));
        expect(list.size).toBe(model.size);
      }
    }),
  );
});

test("ING2: the parts of a range remember when it was reported", () => {
  const list = new LossList();
  list.append(10, 20, 5);
  list.noteReport(0, 77);
  list.remove(15);
  expect([list.reportAtOf(0), list.reportAtOf(1)]).toEqual([77, 77]);
  expect([list.reportsOf(0), list.reportsOf(1)]).toEqual([1, 1]);
});

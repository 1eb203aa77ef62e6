import { expect, it } from "vitest";
import { Seats } from "./seats.ts";

/** What of Web Storage is used, with something kept in it. */
function memoryOf(kept: string | null) {
  let text = kept;
  return {
    getItem: () => text,
    setItem: (_key: string, value: string) => {
      text = value;
    },
  };
}

it.each(["", "{", "null", "[]", '{"room":"a","seats":{"ben":17}}', '{"room":"a","seats":{"ben":"1"}}', '{"seats":{}}'])(
  "begins empty where what was kept is no good: %j (STU7)",
  (text) => {
    const seats = new Seats(memoryOf(text));
    seats.enter("a");
    expect(seats.ids()).toEqual([]);
  },
);

it("has one guest in each seat and one seat for each guest, and finds them in the same room again (STU7)", () => {
  const memory = memoryOf(null);
  const seats = new Seats(memory);
  seats.enter("a");
  seats.set("ben", 1);
  seats.set("cleo", 1);
  seats.set("cleo", 2);
  seats.set("dora", undefined);
  expect(["ben", "cleo", "dora"].map((id) => seats.of(id))).toEqual([undefined, 2, undefined]);
  for (const seat of [0, 17, 1.5, Number.NaN]) expect(() => seats.set("ben", seat)).toThrow(RangeError);
  const again = new Seats(memory);
  again.enter("a");
  expect(again.ids()).toEqual(["cleo"]);
  again.enter("b");
  expect(again.ids()).toEqual([]);
});

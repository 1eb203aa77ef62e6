import { afterJoin, OUTSIDE } from "@klieg/room";
import { joined, participant, producer } from "@klieg/room/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { largeOf, orderTiles, type Tile, tilesOf } from "./tile-order.ts";

const at = (second: number) => `2026-11-21T10:00:${String(second).padStart(2, "0")}.000Z`;
const ada = participant("ada", { role: "host", joined_at: at(0) });
const people = ["ben", "cem", "dee"].map((id, index) => participant(id, { joined_at: at(index + 1) }));
const eve = participant("eve", { role: "attendee", joined_at: at(9) });

const room = (producers: ReturnType<typeof producer>[] = []) =>
  afterJoin(OUTSIDE, joined({ self: ada, participants: [ada, ...people, eve], producers }));
const keys = (tiles: readonly Tile[]) => tiles.map(({ key }) => key);

describe("who has a tile, and where (RTC2)", () => {
  it("is everybody on stage, oneself last, and every shared screen", () => {
    const tiles = tilesOf(room([producer("cem", "screen"), producer("cem", "camera")]));
    expect(keys(tiles)).toEqual(["screen-cem", "ben", "cem", "dee", "ada"]);
  });

  it("keeps places when somebody comes or goes", () => {
    const tiles = tilesOf(room());
    const order = ["dee", "gone", "ada", "ben"];
    expect(keys(orderTiles(tiles, order, [], 10))).toEqual(["dee", "ada", "ben", "cem"]);
  });

  it("brings who speaks to the first page, in the place of who was silent longest", () => {
    const tiles = tilesOf(room());
    const before = ["ben", "cem", "dee", "ada"];
    expect(keys(orderTiles(tiles, before, ["dee"], 2))).toEqual(["ben", "dee", "cem", "ada"]);
    expect(keys(orderTiles(tiles, before, ["dee", "cem"], 2))).toEqual(["dee", "cem", "ben", "ada"]);
    // Who is there already stays where they are.
    expect(keys(orderTiles(tiles, before, ["cem", "ben"], 2))).toEqual(before);
  });

  it("loses nobody and doubles nobody, whoever speaks", () => {
    const all = Array.from({ length: 20 }, (_, index): Tile => {
      const one = participant(`p${index}`);
      return { key: one.id, participant: one, kind: "person" };
    });
    const id = fc.constantFrom(...keys(all));
    fc.assert(
      fc.property(fc.uniqueArray(id), fc.uniqueArray(id), fc.integer({ min: 1, max: 25 }), (before, spoke, perPage) => {
        const order = keys(orderTiles(all, before, spoke, perPage));
        expect(order.toSorted()).toEqual(keys(all).toSorted());
        for (const latest of spoke.slice(0, perPage)) expect(order.indexOf(latest)).toBeLessThan(perPage);
      }),
    );
  });
});

describe("what is shown large (RTC2)", () => {
  it("is what one chose, else a screen, else who speaks of the others", () => {
    const state = { ...room([producer("dee", "microphone")]), activeSpeaker: "ada", spoke: ["ada", "cem"] };
    const tiles = tilesOf(state);
    const large = (...rest: [layout: "grid" | "speaker", chosen: string | null]) => largeOf(tiles, state, ...rest)?.key;
    expect(large("grid", null)).toBeUndefined();
    expect(large("grid", "ben")).toBe("ben");
    expect(large("grid", "gone")).toBeUndefined();
    expect(large("speaker", null)).toBe("cem");
    expect(largeOf(tiles, { ...state, activeSpeaker: null, spoke: [] }, "speaker", null)?.key).toBe("dee");
    const shared = room([producer("ben", "screen")]);
    expect(largeOf(tilesOf(shared), shared, "grid", null)?.key).toBe("screen-ben");
    expect(largeOf(tilesOf(shared), shared, "grid", "dee")?.key).toBe("dee");
  });

  it("is oneself only when there is nobody else", () => {
    const alone = afterJoin(OUTSIDE, joined({ self: ada, participants: [ada, eve] }));
    expect(largeOf(tilesOf(alone), alone, "speaker", null)?.key).toBe("ada");
    const none = afterJoin(OUTSIDE, joined({ self: eve, participants: [eve] }));
    expect(largeOf(tilesOf(none), none, "speaker", null)).toBeNull();
  });
});

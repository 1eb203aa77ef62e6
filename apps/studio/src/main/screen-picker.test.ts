import { ManualClock } from "@klieg/base";
import type { OfferedScreen, ScreenOffer } from "@klieg/protocol";
import { expect, test } from "vitest";
import { ScreenPicker } from "./screen-picker.ts";

const SCREENS: OfferedScreen[] = [
  { id: "screen:0:0", kind: "screen", name: "Entire screen", thumbnail: null, icon: null },
  { id: "window:7:0", kind: "window", name: "Slides", thumbnail: null, icon: null },
];

function picking(page = true) {
  const offers: ScreenOffer[] = [];
  const clock = new ManualClock();
  const picker = new ScreenPicker({ clock, send: (offer) => offers.push(offer) > 0 && page });
  return { picker, offers, clock };
}

test("what the user chose is captured, with sound only where there is any (STU1)", async () => {
  const { picker, offers, clock } = picking();
  const picked = picker.pick(SCREENS, false);
  picker.answer({ offer: offers[0]?.offer, screen: "window:7:0", audio: true });
  expect(await picked).toEqual({ id: "window:7:0", audio: false });
  expect(clock.pending).toBe(0);
});

test("nothing is captured that was not offered, or is not an answer (SEC5)", async () => {
  const { picker, offers } = picking();
  const picked = picker.pick(SCREENS, true);
  for (const nonsense of [
    undefined,
    7,
    {},
    { offer: 99, screen: "screen:0:0", audio: true },
    { offer: 1, screen: 3 },
  ]) {
    picker.answer(nonsense);
  }
  picker.answer({ offer: offers[0]?.offer, screen: "screen:1:0", audio: true });
  picker.answer({ offer: offers[0]?.offer, screen: "screen:0:0", audio: true });
  expect(await picked).toBeUndefined();
});

test("a question without an answer ends: refused, page gone, asked again, forgotten", async () => {
  const { picker, offers, clock } = picking();
  const first = picker.pick(SCREENS, true);
  const second = picker.pick(SCREENS, true);
  expect(await first).toBeUndefined();
  picker.answer({ offer: offers[1]?.offer, screen: null, audio: false });
  expect(await second).toBeUndefined();
  const third = picker.pick(SCREENS, true);
  picker.cancel();
  expect(await third).toBeUndefined();
  const fourth = picker.pick(SCREENS, true);
  clock.advance(5 * 60_000);
  expect(await fourth).toBeUndefined();
  expect(await picking(false).picker.pick(SCREENS, true)).toBeUndefined();
  expect(await picking().picker.pick([], true)).toBeUndefined();
});

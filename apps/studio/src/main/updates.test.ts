import { EventEmitter } from "node:events";
import { ManualClock } from "@klieg/base";
import { expect, test } from "vitest";
import { type UpdateState, Updates } from "./updates.ts";

function updating() {
  const clock = new ManualClock();
  const source = Object.assign(new EventEmitter(), {
    checks: 0,
    installs: 0,
    async checkForUpdates() {
      this.checks += 1;
    },
    quitAndInstall() {
      this.installs += 1;
    },
  });
  const show = { on: false };
  const updates = new Updates({ source, clock, busy: () => show.on });
  const told: UpdateState[] = [];
  updates.events.on("changed", (state) => told.push(state));
  return { clock, source, show, updates, told };
}

test("looked for soon and every six hours, but never beside a show (STU9)", () => {
  const { clock, source, show, updates } = updating();
  using _closed = updates;
  clock.advance(60_000);
  expect(source.checks).toBe(1);
  show.on = true;
  clock.advance(7 * 60 * 60_000);
  expect(source.checks).toBe(1);
  show.on = false;
  clock.advance(6 * 60 * 60_000);
  expect(source.checks).toBe(2);
});

test("told as it is, and installed only when it is there and no show is on (STU9)", () => {
  const { source, show, updates, told } = updating();
  using _closed = updates;
  expect(updates.install()).toBe(false);
  source.emit("update-available", { version: "1.2.0" });
  source.emit("error", new Error("cut off"));
  source.emit("update-available", { version: "1.2.0" });
  source.emit("update-downloaded", { version: "1.2.0" });
  source.emit("error", new Error("a later check failed"));
  expect(told.map(({ state }) => state)).toEqual(["downloading", "failed", "downloading", "ready"]);
  show.on = true;
  expect([updates.install(), source.installs]).toEqual([false, 0]);
  show.on = false;
  expect([updates.install(), source.installs]).toEqual([true, 1]);
});

test("an app that is not updated from anywhere says none, and holds no timer", () => {
  const clock = new ManualClock();
  using updates = new Updates({ source: undefined, clock, busy: () => false });
  expect([updates.state.state, updates.install(), clock.pending]).toEqual(["none", false, 0]);
  const disposed = updating();
  disposed.updates[Symbol.dispose]();
  expect(disposed.clock.pending).toBe(0);
});

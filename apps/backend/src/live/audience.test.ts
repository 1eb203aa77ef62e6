import { ManualClock } from "@klieg/base";
import { describe, expect, it } from "vitest";
import { Audience } from "./audience.ts";

describe("ING5: a broadcast's audience", () => {
  const setUp = (record?: ConstructorParameters<typeof Audience>[1]) => {
    const clock = new ManualClock();
    const audience = new Audience(clock, record);
    const seen: string[] = [];
    audience.events.on("changed", ({ appeared, vanished }) =>
      seen.push(appeared ? "appeared" : vanished ? "vanished" : "changed"),
    );
    const inMs = (ms: number) => new Date(clock.wall() + ms).toISOString();
    return { clock, audience, seen, inMs };
  };

  it("admits everybody while it is not hidden, else who has the token", () => {
    const { audience } = setUp();
    expect(audience.admits(undefined)).toBe(true);
    audience.change({ preview: true });
    for (const token of [undefined, "", "x", `${audience.previewToken}x`]) expect(audience.admits(token)).toBe(false);
    expect(audience.admits(audience.previewToken)).toBe(true);
  });

  it("tells when it appears and vanishes, once", () => {
    const { audience, seen } = setUp({ preview: true });
    audience.change({ title: "A" });
    audience.change({ preview: false });
    audience.change({ visibility: "unlisted" });
    audience.change({ visibility: "private" });
    audience.change({ preview: true });
    audience.change({ preview: false });
    audience.change({ visibility: "public" });
    expect(seen).toEqual(["changed", "appeared", "changed", "vanished", "changed", "changed", "appeared"]);
  });

  it("knows since when it is seen", () => {
    const { clock, audience } = setUp({ preview: true });
    expect(audience.shownAt).toBeUndefined();
    clock.advance(1000);
    audience.change({ preview: false });
    const at = clock.wall();
    clock.advance(1000);
    audience.change({ title: "B" });
    expect(audience.shownAt).toBe(at);
  });

  it("appears when it is due, though the wall clock was looked at long before", () => {
    const { clock, audience, seen, inMs } = setUp();
    audience.change({ public_at: inMs(10 * 3_600_000) });
    expect(audience).toMatchObject({ hidden: true, preview: true });
    clock.advance(10 * 3_600_000 - 1);
    expect(audience.hidden).toBe(true);
    clock.advance(1);
    expect(audience).toMatchObject({ hidden: false, preview: false, publicAt: undefined });
    expect(seen).toEqual(["vanished", "appeared"]);
    expect(clock.pending).toBe(0);
  });

  it("appears at once where the time has passed, or is taken back with the preview", () => {
    const { clock, audience, inMs } = setUp();
    audience.change({ public_at: inMs(-1) });
    expect(audience.hidden).toBe(false);
    audience.change({ public_at: inMs(1000) });
    audience.change({ preview: false });
    expect(audience).toMatchObject({ hidden: false, publicAt: undefined });
    expect(clock.pending).toBe(0);
  });

  it("stays in preview where only the schedule is taken back, and private when it is due", () => {
    const { clock, audience, inMs } = setUp({ visibility: "private" });
    audience.change({ public_at: inMs(1000) });
    audience.change({ public_at: null });
    clock.advance(2000);
    expect(audience.preview).toBe(true);
    audience.change({ public_at: inMs(1000) });
    clock.advance(1000);
    expect(audience).toMatchObject({ preview: false, hidden: true });
  });

  it("goes on from what is remembered of it", () => {
    const { audience, inMs } = setUp();
    audience.change({ title: "A", category: "B", visibility: "unlisted", public_at: inMs(5000) });
    const { clock, audience: again } = setUp(audience.record);
    expect(again.record).toEqual(audience.record);
    clock.advance(5000);
    expect(again.hidden).toBe(false);
  });
});

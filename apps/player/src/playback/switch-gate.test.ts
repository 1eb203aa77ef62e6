import { describe, expect, it } from "vitest";
import { SwitchGate } from "./switch-gate.ts";

describe("changing the rendition between segments (PLY1)", () => {
  it("holds a change back until the segment is whole", () => {
    const gate = new SwitchGate();
    expect(gate.choose(1, -1, 0)).toBe(1);
    gate.loaded(false);
    expect(gate.choose(2, 1, 100)).toBe(1);
    expect(gate.choose(1, 1, 200)).toBe(1);
    gate.loaded(true);
    expect(gate.choose(2, 1, 300)).toBe(2);
  });

  it("prefers what is wanted to the automatic choice, at the same moment", () => {
    const gate = new SwitchGate();
    gate.loaded(false);
    gate.wanted = 0;
    expect(gate.choose(2, 1, 0)).toBe(1);
    gate.loaded(true);
    expect(gate.choose(2, 1, 10)).toBe(0);
  });

  it("takes at once what is forced, once", () => {
    const gate = new SwitchGate();
    gate.loaded(false);
    gate.wanted = 2;
    gate.force(0);
    expect(gate.choose(0, 1, 0)).toBe(0);
    expect(gate.choose(0, 0, 10)).toBe(0);
    gate.wanted = null;
    expect(gate.choose(1, 0, 20)).toBe(0);
    expect(gate.choose(0, 1, 30)).toBe(1);
  });

  it("does not wait for ever", () => {
    const gate = new SwitchGate();
    gate.loaded(false);
    expect(gate.choose(2, 1, 1000)).toBe(1);
    expect(gate.choose(2, 1, 5900)).toBe(1);
    expect(gate.choose(2, 1, 6100)).toBe(2);
    // Another wait begins with another wish.
    expect(gate.choose(1, 2, 6200)).toBe(2);
  });
});

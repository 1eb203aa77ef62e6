import { describe, expect, it } from "vitest";
import { filling, type Transform } from "../../document/transform.ts";
import { type Drag, dragged, settled, tightened, within } from "./drag.ts";

const canvas = { width: 1280, height: 720 };
const box: Transform = { ...filling(canvas), x: 400, y: 300, width: 200, height: 100 };
const none = { shift: false, control: false };
const drag = (what: Drag["what"], start = box, others: Transform[] = []): Drag => ({
  what,
  start,
  from: { x: 400, y: 300 },
  others,
  canvas,
});

describe("dragging on the stage (STU1)", () => {
  it("moves by as much as the pointer did, on one axis with Shift", () => {
    const move = drag({ kind: "move" });
    expect(dragged(move, { x: 437, y: 311 }, none, 0).transform).toMatchObject({ x: 437, y: 311 });
    expect(dragged(move, { x: 437, y: 311 }, { ...none, shift: true }, 0).transform).toMatchObject({ x: 437, y: 300 });
  });

  it("snaps to the canvas and says to which line, and not with Control", () => {
    const move = drag({ kind: "move" });
    const near = { x: 637, y: 330 };
    expect(dragged(move, near, none, 8)).toMatchObject({ transform: { x: 640 }, guides: [{ axis: "x", at: 640 }] });
    expect(dragged(move, near, { ...none, control: true }, 8)).toMatchObject({ transform: { x: 637 }, guides: [] });
  });

  it("snaps the edge that is pulled, and no other", () => {
    const pull = drag({ kind: "resize", handle: "left" }, box, [{ ...box, x: 100, y: 352, width: 80, height: 40 }]);
    const { transform, guides } = dragged(pull, { x: 143, y: 331 }, none, 8);
    expect(guides).toEqual([{ axis: "x", at: 140 }]);
    expect(transform).toMatchObject({ width: 360, height: 100, x: 320, y: 300 });
  });

  it("keeps the proportions at a corner, and frees them with Shift", () => {
    const pull = drag({ kind: "resize", handle: "bottom_right" });
    expect(dragged(pull, { x: 700, y: 360 }, none, 0).transform).toMatchObject({ width: 400, height: 200 });
    expect(dragged(pull, { x: 700, y: 360 }, { ...none, shift: true }, 0).transform).toMatchObject({
      width: 400,
      height: 110,
    });
  });

  it("snaps by the edge that moves where the box is turned by a quarter", () => {
    const turned = { ...box, rotation: 90 };
    const { guides } = dragged(drag({ kind: "resize", handle: "right" }, turned), { x: 638, y: 717 }, none, 8);
    expect(guides).toEqual([{ axis: "y", at: 720 }]);
  });

  it("begins a crop at the picture, not at the empty sides of its box", () => {
    const square = tightened({ ...box, fit: "contain" }, { width: 100, height: 100 });
    expect(square).toMatchObject({ width: 100, height: 100, x: 400, y: 300 });
    expect(tightened(box, undefined)).toBe(box);
    const cut = dragged(drag({ kind: "crop", handle: "right" }, square), { x: 425, y: 300 }, none, 0).transform;
    expect(cut).toMatchObject({ width: 75, crop: { right: 0.25 } });
  });

  it("turns by steps with Shift", () => {
    const turn = drag({ kind: "rotate" });
    expect(dragged(turn, { x: 500, y: 205 }, { ...none, shift: true }, 0).transform.rotation).toBe(45);
  });

  it("puts edges on whole pixels, and nothing where a document would refuse it", () => {
    expect(settled({ ...box, x: 400.3, width: 201.4 })).toMatchObject({ x: 400.5, width: 201 });
    expect(within({ ...box, x: 1e6, width: 0 })).toMatchObject({ x: 32_768, width: 1 });
  });
});

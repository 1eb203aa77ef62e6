import { describe, expect, test } from "vitest";
import { addSource, changeItem } from "../../document/edit.ts";
import { newDocument, StudioDocument } from "../../document/studio-document.ts";
import { applyProposal, resizeCanvas } from "./apply-proposal.ts";

const bare = newDocument("Scene");
const show = addSource(
  addSource(bare, { id: "c", name: "Back", kind: "colour", colour: "#102030", filters: [] }, bare.program),
  {
    id: "t",
    name: "Title",
    kind: "text",
    text: "x",
    font: "Inter",
    font_size: 40,
    weight: 700,
    colour: "#ffffff",
    background: null,
    align: "left",
    filters: [],
  },
  bare.program,
);
const items = (document: StudioDocument) => document.scenes[0]?.items ?? [];
const title = items(show)[1]?.id ?? "";
const placed = changeItem(show, bare.program, title, (item) => ({
  ...item,
  transform: { ...item.transform, x: 320, y: 540, width: 400, height: 90 },
}));

describe("another size of the picture (STU1)", () => {
  test("leaves scenes looking as they did", () => {
    const large = StudioDocument.parse(resizeCanvas(placed, { width: 1920, height: 1080 }));
    expect(items(large)[0]?.transform).toMatchObject({ x: 960, y: 540, width: 1920, height: 1080 });
    expect(items(large)[1]?.transform).toMatchObject({ x: 480, y: 810, width: 600, height: 135 });
    expect(large.sources[1]).toMatchObject({ font_size: 60 });
  });

  test("keeps proportions where the shape changes, and fills what was filled", () => {
    const square = StudioDocument.parse(resizeCanvas(placed, { width: 720, height: 720 }));
    expect(items(square)[0]?.transform).toMatchObject({ x: 360, y: 360, width: 720, height: 720 });
    expect(items(square)[1]?.transform).toMatchObject({ width: 225, height: 50.625 });
  });

  test("is part of what the test proposes", () => {
    const proposal = {
      encoder: "h264_nvenc",
      label: "NVIDIA GPU",
      hardware: true,
      width: 1920,
      height: 1080,
      frameRate: 60,
      videoBitrate: 7_500_000,
    } as const;
    const after = StudioDocument.parse(applyProposal(placed, proposal));
    expect(after.canvas).toMatchObject({ width: 1920, height: 1080, frame_rate: 60 });
    expect(after.encoding).toMatchObject({ encoder: "h264_nvenc", video_bitrate: 7_500_000, adaptive: true });
  });

  test("is nothing where it is the same", () => {
    expect(resizeCanvas(placed, placed.canvas)).toBe(placed);
  });
});

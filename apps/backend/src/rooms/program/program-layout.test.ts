import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrange, type PictureSource, shownSpeaker, type Tile } from "./program-layout.ts";

const CANVAS = { width: 1280, height: 720 };
const camera = (participantId: string): PictureSource => ({
  producerId: `camera of ${participantId}`,
  participantId,
  source: "camera",
});
const screen = (participantId: string): PictureSource => ({
  producerId: `screen of ${participantId}`,
  participantId,
  source: "screen",
});
const ids = (tiles: readonly Tile[]) => tiles.map(({ producerId }) => producerId);

describe("what a room's program shows (RTC2)", () => {
  it("follows who speaks, and stays where nobody does who can be seen", () => {
    const sources = [camera("ann"), camera("bob")];
    const at = (speaker: string | undefined, shown?: string) =>
      ids(arrange({ kind: "speaker" }, sources, CANVAS, speaker, shown));
    expect(at("bob")).toEqual(["camera of bob"]);
    expect(at(undefined)).toEqual(["camera of ann"]);
    expect(at("eve", "bob")).toEqual(["camera of bob"]);
    expect(arrange({ kind: "speaker" }, [], CANVAS, "ann", "ann")).toEqual([]);
  });

  it("stays on whoever is pinned, as long as that one sends a picture", () => {
    const layout = { kind: "speaker", participant_id: "ann" } as const;
    expect(ids(arrange(layout, [camera("ann"), camera("bob")], CANVAS, "bob", undefined))).toEqual(["camera of ann"]);
    expect(ids(arrange(layout, [camera("bob")], CANVAS, "bob", undefined))).toEqual(["camera of bob"]);
  });

  it("shows a shared screen with the speaker in its corner", () => {
    const sources = [camera("ann"), camera("bob"), screen("bob")];
    const tiles = arrange({ kind: "speaker" }, sources, CANVAS, "ann", undefined);
    expect(ids(tiles)).toEqual(["screen of bob", "camera of ann"]);
    expect(tiles[0]).toMatchObject({ x: 0, y: 0, ...CANVAS });
    expect(tiles[1]).toMatchObject({ width: 280, height: 156, x: 976, y: 540 });
    expect(shownSpeaker(tiles, sources)).toBe("ann");
  });

  it("gives everybody in a grid the same room, and leaves out those who matter least", () => {
    const sources = Array.from({ length: 12 }, (_, i) => camera(`p${i}`));
    const tiles = arrange({ kind: "grid" }, [...sources, screen("p11")], CANVAS, "p10", undefined);
    expect(tiles).toHaveLength(9);
    expect(ids(tiles)).toEqual(expect.arrayContaining(["camera of p0", "camera of p10", "screen of p11"]));
    expect(ids(tiles)).not.toContain("camera of p9");
  });

  it("keeps every tile on the canvas and off the others, at even pixels", () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(20),
        fc.constantFrom(CANVAS, { width: 640, height: 360 }),
        (count, who, canvas) => {
          const sources = Array.from({ length: count }, (_, i) => camera(`p${i}`));
          const tiles = arrange({ kind: "grid" }, sources, canvas, `p${who}`, undefined);
          const covered = new Set<string>();
          for (const { x, y, width, height } of tiles) {
            expect([x, y, width, height].every((value) => value >= 0 && value % 2 === 0)).toBe(true);
            expect(x + width).toBeLessThanOrEqual(canvas.width);
            expect(y + height).toBeLessThanOrEqual(canvas.height);
            const clash = tiles.filter(
              (other) =>
                other.x < x + width && x < other.x + other.width && other.y < y + height && y < other.y + other.height,
            );
            expect(clash).toHaveLength(1);
            covered.add(`${x} ${y}`);
          }
          expect(covered.size).toBe(Math.min(count, 9));
        },
      ),
    );
  });
});

import { cornersOf, type Size, type Transform } from "./transform.ts";

/** A line that something snapped to, to be drawn while it is dragged. Canvas pixels. */
export interface Guide {
  readonly axis: "x" | "y";
  readonly at: number;
}

export interface Snapped {
  readonly transform: Transform;
  readonly guides: readonly Guide[];
}

/**
 * Moves a dragged box to the nearest line within reach: the canvas's edges and middle, and the edges and middles of the
 * other boxes. Each axis snaps by itself.
 * @param reach canvas pixels; what a person sees as a few pixels of the screen.
 */
export function snapped(box: Transform, others: readonly Transform[], canvas: Size, reach: number): Snapped {
  const own = extentOf(box);
  const across = [0, canvas.width / 2, canvas.width];
  const down = [0, canvas.height / 2, canvas.height];
  for (const other of others) {
    const { left, right, top, bottom } = extentOf(other);
    across.push(left, (left + right) / 2, right);
    down.push(top, (top + bottom) / 2, bottom);
  }
  const x = nearest([own.left, (own.left + own.right) / 2, own.right], across, reach);
  const y = nearest([own.top, (own.top + own.bottom) / 2, own.bottom], down, reach);
  const guides: Guide[] = [];
  if (x !== undefined) guides.push({ axis: "x", at: x.line });
  if (y !== undefined) guides.push({ axis: "y", at: y.line });
  if (guides.length === 0) return { transform: box, guides };
  return { transform: { ...box, x: box.x + (x?.shift ?? 0), y: box.y + (y?.shift ?? 0) }, guides };
}

function nearest(
  marks: readonly number[],
  lines: readonly number[],
  reach: number,
): { readonly shift: number; readonly line: number } | undefined {
  let best: { shift: number; line: number } | undefined;
  for (const mark of marks) {
    for (const line of lines) {
      const shift = line - mark;
      if (Math.abs(shift) <= reach && (best === undefined || Math.abs(shift) < Math.abs(best.shift))) {
        best = { shift, line };
      }
    }
  }
  return best;
}

/** The upright rectangle about the box. */
function extentOf(box: Transform): { left: number; right: number; top: number; bottom: number } {
  const corners = cornersOf(box);
  const xs = corners.map(({ x }) => x);
  const ys = corners.map(({ y }) => y);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

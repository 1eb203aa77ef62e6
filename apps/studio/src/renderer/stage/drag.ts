import { cropped, HANDLES, type Handle, resized, rotatedTowards } from "../../document/handle.ts";
import { type Guide, snapped } from "../../document/snapping.ts";
import { type Point, pictureWithin, type Size, type Transform } from "../../document/transform.ts";

/** What a drag does, by where it began. */
export type DragKind =
  | { readonly kind: "move" }
  | { readonly kind: "resize"; readonly handle: Handle }
  | { readonly kind: "crop"; readonly handle: Handle }
  | { readonly kind: "rotate" };

/** A drag as it began. */
export interface Drag {
  readonly what: DragKind;
  readonly start: Transform;
  /** Canvas pixels. */
  readonly from: Point;
  /** Boxes to snap to. */
  readonly others: readonly Transform[];
  readonly canvas: Size;
}

export interface DragModifiers {
  readonly shift: boolean;
  readonly control: boolean;
}

export interface Dragged {
  readonly transform: Transform;
  readonly guides: readonly Guide[];
}

/** Beyond these a document is refused; nobody needs them. Canvas pixels. */
const FURTHEST = 32_768;

/**
 * Where a drag has come to. Moving: Shift keeps to one axis. Resizing: Shift frees the proportions, Control resizes about the
 * middle. Rotating: Shift goes by steps. Control turns snapping off.
 * @param reach canvas pixels within which lines attract.
 */
export function dragged(drag: Drag, to: Point, keys: DragModifiers, reach: number): Dragged {
  const { start, what, from, others, canvas } = drag;
  if (what.kind === "move") {
    let dx = to.x - from.x;
    let dy = to.y - from.y;
    if (keys.shift && Math.abs(dx) >= Math.abs(dy)) dy = 0;
    else if (keys.shift) dx = 0;
    const moved = { ...start, x: start.x + dx, y: start.y + dy };
    return limited(keys.control ? { transform: moved, guides: [] } : snapped(moved, others, canvas, reach));
  }
  if (what.kind === "rotate") {
    return { transform: rotatedTowards(start, to, keys.shift), guides: [] };
  }
  const { dx, dy } = HANDLES[what.handle];
  const upright = start.rotation % 90 === 0;
  const near =
    keys.control || !upright
      ? { transform: { x: to.x, y: to.y }, guides: [] }
      : // The pointer as a box without size: what it snaps to is what the edge snaps to.
        snapped({ ...start, x: to.x, y: to.y, width: 0, height: 0, rotation: 0 }, others, canvas, reach);
  const sideways = start.rotation % 180 !== 0;
  const moves = { x: (sideways ? dy : dx) !== 0, y: (sideways ? dx : dy) !== 0 };
  const target = { x: moves.x ? near.transform.x : to.x, y: moves.y ? near.transform.y : to.y };
  const guides = near.guides.filter(({ axis }) => moves[axis]);
  const transform =
    what.kind === "crop"
      ? cropped(start, what.handle, target)
      : resized(start, what.handle, target, { free: keys.shift, centred: keys.control });
  return limited({ transform, guides });
}

/** The box drawn together to the picture in it: what a crop by hand starts from. @param source undefined while it is not known. */
export function tightened(box: Transform, source: Size | undefined): Transform {
  return source === undefined ? box : { ...box, ...pictureWithin(box, source) };
}

/** Whole pixels, so that edges are sharp, and within what a document may say. */
export function settled(box: Transform): Transform {
  const left = Math.round(box.x - box.width / 2);
  const top = Math.round(box.y - box.height / 2);
  const width = Math.max(1, Math.round(box.width));
  const height = Math.max(1, Math.round(box.height));
  return within({ ...box, width, height, x: left + width / 2, y: top + height / 2 });
}

/** Within what a document may say. */
export function within(box: Transform): Transform {
  const bounded = (value: number, least: number) => Math.max(least, Math.min(FURTHEST, value));
  return {
    ...box,
    x: bounded(box.x, -FURTHEST),
    y: bounded(box.y, -FURTHEST),
    width: bounded(box.width, 1),
    height: bounded(box.height, 1),
  };
}

function limited({ transform, guides }: Dragged): Dragged {
  return { transform: within(transform), guides };
}

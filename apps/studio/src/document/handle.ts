import { intoBox, normalisedRotation, type Point, type Transform } from "./transform.ts";

/** The eight places of a box that it is resized by: which side of each axis they move, −1, 0 or 1. */
export const HANDLES = {
  top_left: { dx: -1, dy: -1 },
  top: { dx: 0, dy: -1 },
  top_right: { dx: 1, dy: -1 },
  right: { dx: 1, dy: 0 },
  bottom_right: { dx: 1, dy: 1 },
  bottom: { dx: 0, dy: 1 },
  bottom_left: { dx: -1, dy: 1 },
  left: { dx: -1, dy: 0 },
} as const;
export type Handle = keyof typeof HANDLES;

/** No box gets smaller by hand, canvas pixels: it could not be taken hold of again. */
const SMALLEST = 8;
/** Rotation by hand with the snap key held, degrees. */
const ROTATION_STEP = 15;

/** What was held down while a handle was dragged. */
export interface DragKeys {
  /** Keeps the proportions that the box had. Corners do so without it too; this turns that around. */
  readonly free: boolean;
  /** Resizes about the middle instead of the opposite side. */
  readonly centred: boolean;
}

/**
 * The box with a handle dragged to a point of the canvas: the opposite side, or the middle, stays where it is, whichever
 * way the box is turned.
 */
export function resized(box: Transform, handle: Handle, to: Point, keys: DragKeys): Transform {
  const { dx, dy } = HANDLES[handle];
  const local = intoBox(box, to);
  const grow = keys.centred ? 2 : 1;
  const anchor = keys.centred ? 0 : 0.5;
  let width = dx === 0 ? box.width : Math.max(SMALLEST, (local.x * dx + box.width * anchor) * grow);
  let height = dy === 0 ? box.height : Math.max(SMALLEST, (local.y * dy + box.height * anchor) * grow);
  if (dx !== 0 && dy !== 0 && !keys.free) {
    // The pointer decides by the axis on which it went further.
    const scale = Math.max(width / box.width, height / box.height, SMALLEST / Math.min(box.width, box.height));
    width = box.width * scale;
    height = box.height * scale;
  }
  if (keys.centred) return { ...box, width, height };
  const shift = turned({ x: ((width - box.width) / 2) * dx, y: ((height - box.height) / 2) * dy }, box.rotation);
  return { ...box, width, height, x: box.x + shift.x, y: box.y + shift.y };
}

/** The box turned so that its top points at a point of the canvas. @param stepped in steps of 15°. */
export function rotatedTowards(box: Transform, to: Point, stepped: boolean): Transform {
  const degrees = (Math.atan2(to.y - box.y, to.x - box.x) * 180) / Math.PI + 90;
  return {
    ...box,
    rotation: normalisedRotation(stepped ? Math.round(degrees / ROTATION_STEP) * ROTATION_STEP : degrees),
  };
}

/** The box with a side's crop dragged to a point of the canvas; the picture stays where it is and less of it is seen. */
export function cropped(box: Transform, handle: Handle, to: Point): Transform {
  const { dx, dy } = HANDLES[handle];
  const local = intoBox(box, to);
  const { crop } = box;
  const seenAcross = 1 - crop.left - crop.right;
  const seenDown = 1 - crop.top - crop.bottom;
  // The whole source, uncropped, at the scale at which the box shows it.
  const fullWidth = box.width / seenAcross;
  const fullHeight = box.height / seenDown;
  const width =
    dx === 0 ? box.width : bounded(local.x * dx + box.width / 2, fullWidth, dx < 0 ? crop.right : crop.left);
  const height =
    dy === 0 ? box.height : bounded(local.y * dy + box.height / 2, fullHeight, dy < 0 ? crop.bottom : crop.top);
  const shift = turned({ x: ((width - box.width) / 2) * dx, y: ((height - box.height) / 2) * dy }, box.rotation);
  const cutAcross = (box.width - width) / fullWidth;
  const cutDown = (box.height - height) / fullHeight;
  return {
    ...box,
    x: box.x + shift.x,
    y: box.y + shift.y,
    width,
    height,
    crop: {
      left: share(crop.left + (dx < 0 ? cutAcross : 0)),
      right: share(crop.right + (dx > 0 ? cutAcross : 0)),
      top: share(crop.top + (dy < 0 ? cutDown : 0)),
      bottom: share(crop.bottom + (dy > 0 ? cutDown : 0)),
    },
  };
}

/** At least the smallest, at most what the source has beyond the crop of the other side. */
function bounded(wanted: number, full: number, otherCrop: number): number {
  return Math.max(Math.min(SMALLEST, full * (1 - otherCrop)), Math.min(wanted, full * (1 - otherCrop)));
}

/** Without the dust that floating point leaves below zero. */
function share(value: number): number {
  return Math.max(0, Math.min(1, value));
}

function turned({ x, y }: Point, degrees: number): Point {
  const angle = (degrees * Math.PI) / 180;
  return { x: x * Math.cos(angle) - y * Math.sin(angle), y: x * Math.sin(angle) + y * Math.cos(angle) };
}

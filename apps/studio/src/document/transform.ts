import { z } from "zod";

/** Parts of a source that are cut off, as shares of its own width and height. */
export const Crop = z
  .strictObject({
    left: z.number().min(0).max(1),
    top: z.number().min(0).max(1),
    right: z.number().min(0).max(1),
    bottom: z.number().min(0).max(1),
  })
  .refine(({ left, right }) => left + right < 1, "nothing would be left between the left and right crop")
  .refine(({ top, bottom }) => top + bottom < 1, "nothing would be left between the top and bottom crop");
export type Crop = z.infer<typeof Crop>;

export const NO_CROP: Crop = { left: 0, top: 0, right: 0, bottom: 0 };

const coordinate = z.number().min(-32_768).max(32_768);

/** Where on the canvas an item is: a box that turns about its middle. */
export const Transform = z.strictObject({
  /** Middle of the box, canvas pixels from the left and the top. */
  x: coordinate,
  y: coordinate,
  /** Size of the box before it is turned, canvas pixels. */
  width: z.number().min(1).max(32_768),
  height: z.number().min(1).max(32_768),
  /** Degrees clockwise, −180 to 180. */
  rotation: z.number().min(-180).max(180),
  /** Mirrored about the vertical axis of the box. */
  mirrored: z.boolean(),
  crop: Crop,
  /** How what is left after the crop fills the box. */
  fit: z.enum(["contain", "cover", "stretch"]),
});
export type Transform = z.infer<typeof Transform>;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The box that fills a canvas. */
export function filling(canvas: Size): Transform {
  const { width, height } = canvas;
  return { x: width / 2, y: height / 2, width, height, rotation: 0, mirrored: false, crop: NO_CROP, fit: "contain" };
}

/** The corners of the box on the canvas: top left first, then clockwise as the unturned box has them. */
export function cornersOf(box: Transform): readonly [Point, Point, Point, Point] {
  const { x, y, width, height } = box;
  const turn = rotationBy(box.rotation);
  const corner = (dx: number, dy: number): Point => {
    const turned = turn({ x: (dx * width) / 2, y: (dy * height) / 2 });
    return { x: x + turned.x, y: y + turned.y };
  };
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}

/** A point of the canvas as the unturned box sees it: from its middle, pixels. */
export function intoBox(box: Transform, point: Point): Point {
  return rotationBy(-box.rotation)({ x: point.x - box.x, y: point.y - box.y });
}

/** Whether a point of the canvas lies in the box. */
export function contains(box: Transform, point: Point): boolean {
  const { x, y } = intoBox(box, point);
  return Math.abs(x) <= box.width / 2 && Math.abs(y) <= box.height / 2;
}

/** An angle in degrees as −180 to 180 says it. */
export function normalisedRotation(degrees: number): number {
  const turned = ((degrees % 360) + 360) % 360;
  return turned > 180 ? turned - 360 : turned;
}

/** The rectangle within the box that the picture really covers, from the box's middle, pixels, before it is turned. */
export function pictureWithin(box: Transform, source: Size): Size {
  const visible = visibleSize(box, source);
  if (box.fit !== "contain" || visible.width === 0 || visible.height === 0) {
    return { width: box.width, height: box.height };
  }
  const scale = Math.min(box.width / visible.width, box.height / visible.height);
  return { width: visible.width * scale, height: visible.height * scale };
}

/**
 * The part of the source that is seen, as shares of its width and height: the crop, and with `cover` also what does
 * not fit the box.
 */
export function sampledPart(box: Transform, source: Size): Crop {
  const { crop } = box;
  if (box.fit !== "cover") return crop;
  const visible = visibleSize(box, source);
  if (visible.width === 0 || visible.height === 0) return crop;
  const scale = Math.max(box.width / visible.width, box.height / visible.height);
  // Shares of the source that stick out on either side.
  const across = (visible.width - box.width / scale) / 2 / source.width;
  const down = (visible.height - box.height / scale) / 2 / source.height;
  return { left: crop.left + across, right: crop.right + across, top: crop.top + down, bottom: crop.bottom + down };
}

function visibleSize({ crop }: Transform, source: Size): Size {
  return {
    width: source.width * (1 - crop.left - crop.right),
    height: source.height * (1 - crop.top - crop.bottom),
  };
}

function rotationBy(degrees: number): (point: Point) => Point {
  const angle = (degrees * Math.PI) / 180;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return ({ x, y }) => ({ x: x * cos - y * sin, y: x * sin + y * cos });
}

import { z } from "zod";
import { Colour } from "./colour.ts";

const side = z.int().min(64).max(7680).multipleOf(2, "encoders want even numbers of pixels");

/** The picture that is broadcast: what every position on the stage is measured in. */
export const Canvas = z.strictObject({
  /** Pixels. */
  width: side,
  height: side,
  /** Frames a second. */
  frame_rate: z.union([z.literal(24), z.literal(25), z.literal(30), z.literal(50), z.literal(60)]),
  /** Shown where no source is. */
  background: Colour,
});
export type Canvas = z.infer<typeof Canvas>;

export const DEFAULT_CANVAS: Canvas = { width: 1280, height: 720, frame_rate: 30, background: "#0b0a09" };

import type { CaptureState } from "./capture.ts";

/** Of the house's palette, dark in either theme: viewers see it. */
const GROUND = "#141210";
const FRAME = "#2a2622";
const SIGN = "#6f665d";

/** Whose place it is. */
export type PlaceholderSign = "camera" | "guest";

/**
 * What stands in a source's place while it has no picture: a quiet card without words, with a camera, crossed out where the picture
 * is gone; for a guest's seat with a person in outline, which the viewers of a show take for somebody who is about to come.
 */
export function placeholderPicture(
  sign: PlaceholderSign,
  state: CaptureState,
  width: number,
  height: number,
): ImageBitmap {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new DOMException("no canvas to draw on", "NotSupportedError");
  const unit = Math.min(width, height) / 100;
  context.fillStyle = GROUND;
  context.fillRect(0, 0, width, height);
  context.strokeStyle = FRAME;
  context.lineWidth = Math.max(2, unit);
  context.strokeRect(unit * 2, unit * 2, width - unit * 4, height - unit * 4);
  context.translate(width / 2, height / 2);
  context.scale(unit, unit);
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.lineCap = "round";
  context.strokeStyle = SIGN;
  context.beginPath();
  if (sign === "guest") drawPerson(context);
  else drawCamera(context);
  context.stroke();
  if (sign === "camera" && (state === "gone" || state === "failed")) {
    context.strokeStyle = GROUND;
    context.lineWidth = 6;
    context.beginPath();
    context.moveTo(-15, -13);
    context.lineTo(15, 13);
    context.stroke();
    context.strokeStyle = SIGN;
    context.lineWidth = 2;
    context.stroke();
  }
  return canvas.transferToImageBitmap();
}

function drawCamera(context: OffscreenCanvasRenderingContext2D): void {
  context.roundRect(-14, -9, 20, 18, 3);
  context.moveTo(6, -2);
  context.lineTo(14, -7);
  context.lineTo(14, 7);
  context.lineTo(6, 2);
}

function drawPerson(context: OffscreenCanvasRenderingContext2D): void {
  context.arc(0, -7, 6.5, 0, 2 * Math.PI);
  context.moveTo(-14, 14);
  context.bezierCurveTo(-13, 2, 13, 2, 14, 14);
}

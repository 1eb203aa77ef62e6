import type { CaptureState } from "./capture.ts";

/** Of the house's palette, dark in either theme: viewers see it. */
const GROUND = "#141210";
const FRAME = "#2a2622";
const SIGN = "#6f665d";

/** What stands in a source's place while it has no picture: a quiet card with a camera that is crossed out, without words. */
export function placeholderPicture(state: CaptureState, width: number, height: number): ImageBitmap {
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
  context.roundRect(-14, -9, 20, 18, 3);
  context.moveTo(6, -2);
  context.lineTo(14, -7);
  context.lineTo(14, 7);
  context.lineTo(6, 2);
  context.stroke();
  if (state === "gone" || state === "failed") {
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

import type { SourceOf } from "./source-capture.ts";

/** Line to line, in font sizes. */
const LINE_HEIGHT = 1.25;
/** Room about the text, in font sizes: for what hangs over, and for the background. */
const PADDING = 0.2;
/** No picture of a text is larger on a side, pixels. */
const LONGEST_SIDE = 8192;

/** Draws a text at its natural size, canvas pixels; lines are where its user broke them. */
export async function textPicture(source: SourceOf<"text">): Promise<ImageBitmap> {
  const font = `${source.weight} ${source.font_size}px ${JSON.stringify(source.font)}, Inter, sans-serif`;
  // A font of the page comes when it is first wanted; one of the system is there, and one that is nowhere is stood in for.
  await document.fonts.load(font, source.text).catch(() => undefined);
  const lines = source.text.split("\n");
  const measure = new OffscreenCanvas(1, 1).getContext("2d");
  if (measure === null) throw new DOMException("no canvas to draw a text on", "NotSupportedError");
  measure.font = font;
  const padding = Math.ceil(source.font_size * PADDING);
  const lineHeight = source.font_size * LINE_HEIGHT;
  const widest = Math.max(1, ...lines.map((line) => measure.measureText(line).width));
  const width = Math.min(LONGEST_SIDE, Math.ceil(widest) + padding * 2);
  const height = Math.min(LONGEST_SIDE, Math.ceil(lineHeight * lines.length) + padding * 2);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new DOMException("no canvas to draw a text on", "NotSupportedError");
  if (source.background !== null) {
    context.fillStyle = source.background;
    context.fillRect(0, 0, width, height);
  }
  context.font = font;
  context.fillStyle = source.colour;
  context.textBaseline = "middle";
  context.textAlign = source.align === "centre" ? "center" : source.align;
  const x = { left: padding, centre: width / 2, right: width - padding }[source.align];
  for (const [i, line] of lines.entries()) context.fillText(line, x, padding + lineHeight * (i + 0.5));
  return canvas.transferToImageBitmap();
}

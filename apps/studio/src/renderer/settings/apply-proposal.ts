import type { Canvas } from "../../document/canvas.ts";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { Proposal } from "./propose-encoding.ts";

/**
 * Gives the picture another size; everything on it is moved and scaled with it, so that scenes look as they did. Where the
 * shape changes, too, things keep their proportions and their place is scaled.
 */
export function resizeCanvas(document: StudioDocument, size: Pick<Canvas, "width" | "height">): StudioDocument {
  const { canvas } = document;
  const [x, y] = [size.width / canvas.width, size.height / canvas.height];
  if (x === 1 && y === 1) return document;
  const scale = Math.min(x, y);
  // What fills the canvas is to fill it still.
  const fills = (length: number, whole: number) => Math.abs(length - whole) < 1;
  return {
    ...document,
    canvas: { ...canvas, ...size },
    scenes: document.scenes.map((scene) => ({
      ...scene,
      items: scene.items.map((item) => {
        const { transform } = item;
        const full = fills(transform.width, canvas.width) && fills(transform.height, canvas.height);
        return {
          ...item,
          transform: {
            ...transform,
            x: transform.x * x,
            y: transform.y * y,
            width: transform.width * (full ? x : scale),
            height: transform.height * (full ? y : scale),
          },
        };
      }),
    })),
    sources: document.sources.map((source) =>
      source.kind === "text" ? { ...source, font_size: Math.max(4, Math.min(1000, source.font_size * scale)) } : source,
    ),
  };
}

/** Uses what was proposed. */
export function applyProposal(document: StudioDocument, proposal: Proposal): StudioDocument {
  const { width, height, frameRate, encoder, videoBitrate } = proposal;
  const resized = resizeCanvas(document, { width, height });
  return {
    ...resized,
    canvas: { ...resized.canvas, frame_rate: frameRate },
    encoding: { ...resized.encoding, encoder, video_bitrate: videoBitrate },
  };
}

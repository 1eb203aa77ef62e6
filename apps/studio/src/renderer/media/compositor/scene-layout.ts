import type { Scene, SceneItem } from "../../../document/scene.ts";
import type { Source } from "../../../document/source.ts";
import { type Crop, cornersOf, pictureWithin, type Size, sampledPart } from "../../../document/transform.ts";

/** One source as it is drawn: a rectangle of the canvas that turns about its middle. */
export interface Layer {
  readonly source: Source;
  readonly opacity: number;
  /** Canvas pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise. */
  readonly rotation: number;
  readonly mirrored: boolean;
  /** What is cut off the source's picture on each side, as shares of it. */
  readonly part: Crop;
}

/**
 * What of a scene is in view, back to front: items that are hidden, wholly transparent or off the canvas are left out.
 * @param sizeOf the natural size of a source's picture; undefined while it has none, then it is left out too.
 */
export function layersOf(
  scene: Scene,
  sources: ReadonlyMap<string, Source>,
  canvas: Size,
  sizeOf: (sourceId: string) => Size | undefined,
): Layer[] {
  const layers: Layer[] = [];
  for (const item of scene.items) {
    const source = sources.get(item.source);
    if (source === undefined || !item.visible || item.opacity <= 0 || !meets(item, canvas)) continue;
    // A colour has no size of its own: it fills its box.
    const size = source.kind === "colour" ? item.transform : sizeOf(source.id);
    if (size === undefined || size.width === 0 || size.height === 0) continue;
    const { x, y, rotation, mirrored } = item.transform;
    const { width, height } = pictureWithin(item.transform, size);
    const part = sampledPart(item.transform, size);
    layers.push({ source, opacity: item.opacity, x, y, width, height, rotation, mirrored, part });
  }
  return layers;
}

/** Whether the rectangle about the item's box meets the canvas. */
function meets(item: SceneItem, canvas: Size): boolean {
  const corners = cornersOf(item.transform);
  const across = corners.map(({ x }) => x);
  const down = corners.map(({ y }) => y);
  return (
    Math.max(...across) > 0 &&
    Math.min(...across) < canvas.width &&
    Math.max(...down) > 0 &&
    Math.min(...down) < canvas.height
  );
}

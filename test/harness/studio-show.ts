import type { SceneItem } from "../../apps/studio/src/document/scene.ts";
import type { Source } from "../../apps/studio/src/document/source.ts";
import { newDocument, type StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { filling, type Transform } from "../../apps/studio/src/document/transform.ts";

/** The browser's own camera. */
export const CAMERA_SOURCE: Source = {
  id: "camera",
  name: "Camera",
  kind: "camera",
  device: { id: "", label: "" },
  width: 640,
  height: 360,
  frame_rate: 30,
  filters: [],
};

export type Rgb = readonly [red: number, green: number, blue: number];

/** Colours of a picture's quarters: upper left, upper right, lower left, lower right. */
export type Quarters = readonly [Rgb, Rgb, Rgb, Rgb];

/** What a source looks like, for {@link pictureAt}. */
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly quarters: Quarters;
  /** 0 to 1. */
  readonly alpha: number;
}

/** FFmpeg's arguments that make a picture of four quarters. */
export function quartersInput(quarters: Quarters, width: number, height: number): string[] {
  const inputs = quarters.flatMap((colour) => [
    "-f",
    "lavfi",
    "-i",
    `color=c=${hex(colour)}:s=${width / 2}x${height / 2}:r=30`,
  ]);
  const stack = "[0][1]hstack[top];[2][3]hstack[bottom];[top][bottom]vstack";
  return [...inputs, "-filter_complex", stack];
}

export function hex(colour: Rgb, mark = "0x"): string {
  return mark + colour.map((value) => value.toString(16).padStart(2, "0")).join("");
}

/** An item of a scene; what is not said fills the canvas. */
export function itemOf(
  source: string,
  transform: Partial<Transform>,
  more: Partial<Pick<SceneItem, "visible" | "opacity">> = {},
): SceneItem {
  const place = { ...filling({ width: 1280, height: 720 }), ...transform };
  const id = `item-${source}-${JSON.stringify(transform).length}-${Math.round(place.x)}-${Math.round(place.y)}`.slice(
    0,
    40,
  );
  return { id, source, locked: false, visible: true, opacity: 1, ...more, transform: place };
}

/** A show with some sources, and a scene of each list of items; the first is on air. */
export function showOf(
  sources: StudioDocument["sources"],
  scenes: readonly (readonly SceneItem[])[],
  background: Rgb,
): StudioDocument {
  const show = newDocument("Scene");
  show.canvas = { width: 1280, height: 720, frame_rate: 30, background: hex(background, "#") };
  show.sources = sources;
  show.scenes = scenes.map((items, i) => ({
    id: `scene-${i}`,
    name: `Scene ${i}`,
    items: [...items],
    transition: null,
  }));
  show.program = "scene-0";
  show.preview = "scene-0";
  return show;
}

/**
 * What the document says is to be seen at a point of the canvas, worked out for that point alone and by nothing of the
 * studio's own: the items from back to front, each turned back, cut, fitted and mirrored as `Transform` describes it.
 */
export function pictureAt(
  items: readonly SceneItem[],
  looks: Readonly<Record<string, Look>>,
  background: Rgb,
  point: readonly [number, number],
): Rgb {
  let seen = background;
  for (const { source, transform, opacity, visible } of items) {
    const look = looks[source];
    if (look === undefined || !visible) continue;
    const colour = sampled(transform, look, point);
    if (colour === undefined) continue;
    const share = opacity * look.alpha;
    seen = [0, 1, 2].map((c) => (seen[c] ?? 0) * (1 - share) + (colour[c] ?? 0) * share) as unknown as Rgb;
  }
  return seen;
}

function sampled(box: Transform, look: Look, [x, y]: readonly [number, number]): Rgb | undefined {
  const angle = (-box.rotation * Math.PI) / 180;
  const [dx, dy] = [x - box.x, y - box.y];
  const across = dx * Math.cos(angle) - dy * Math.sin(angle);
  const down = dx * Math.sin(angle) + dy * Math.cos(angle);
  if (Math.abs(across) > box.width / 2 || Math.abs(down) > box.height / 2) return undefined;
  const { crop } = box;
  const width = look.width * (1 - crop.left - crop.right);
  const height = look.height * (1 - crop.top - crop.bottom);
  const [wide, high] = [box.width / width, box.height / height];
  const scale = { contain: Math.min(wide, high), cover: Math.max(wide, high), stretch: undefined }[box.fit];
  // From the middle of what is left after the crop, in pixels of the source.
  let sourceX = across / (scale ?? wide);
  const sourceY = down / (scale ?? high);
  if (Math.abs(sourceX) > width / 2 || Math.abs(sourceY) > height / 2) return undefined;
  if (box.mirrored) sourceX = -sourceX;
  const right = look.width * crop.left + width / 2 + sourceX >= look.width / 2;
  const below = look.height * crop.top + height / 2 + sourceY >= look.height / 2;
  return look.quarters[(below ? 2 : 0) + (right ? 1 : 0)];
}

/** Points of a grid about which, `margin` pixels around, there is one colour only. */
export function evenPoints(
  at: (point: readonly [number, number]) => Rgb,
  canvas: { readonly width: number; readonly height: number },
  step: number,
  margin: number,
): { readonly point: readonly [number, number]; readonly colour: Rgb }[] {
  const points: { point: readonly [number, number]; colour: Rgb }[] = [];
  for (let y = margin; y < canvas.height - margin; y += step) {
    for (let x = margin; x < canvas.width - margin; x += step) {
      const colour = at([x + 0.5, y + 0.5]);
      const even = [-margin, 0, margin].every((dx) =>
        [-margin, 0, margin].every((dy) => String(at([x + 0.5 + dx, y + 0.5 + dy])) === String(colour)),
      );
      if (even) points.push({ point: [x, y], colour });
    }
  }
  return points;
}

/** The largest difference of a component, 0 to 255. */
export function difference(one: readonly number[], other: readonly number[]): number {
  return Math.max(...[0, 1, 2].map((c) => Math.abs((one[c] ?? 0) - (other[c] ?? 0))));
}

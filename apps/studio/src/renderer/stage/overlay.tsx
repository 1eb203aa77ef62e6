import { type MouseEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { changeItem } from "../../document/edit.ts";
import type { Handle } from "../../document/handle.ts";
import type { SceneItem } from "../../document/scene.ts";
import type { Guide } from "../../document/snapping.ts";
import { cornersOf, type Point, type Size } from "../../document/transform.ts";
import { useServices, useShow } from "../services.ts";
import { strings } from "../strings.ts";
import { type Drag, type DragKind, dragged, settled, tightened } from "./drag.ts";
import { Guides, HandleMarks } from "./handle-marks.tsx";
import { heldBy, itemsAt, nextBelow, seenItems } from "./hit-test.ts";
import { workScene } from "./layers.ts";
import { useStage } from "./use-stage.ts";

/** Screen pixels within which lines attract. */
const REACH = 7;
/** Screen pixels that a press may wander and still be a click. */
const CLICK = 3;

interface Press {
  readonly item: SceneItem;
  readonly drag: Drag;
  readonly gesture: string;
  readonly screen: Point;
  /** Whether the item was selected before: then a click goes on to the one below. */
  readonly again: boolean;
  moved: boolean;
}

let gestures = 0;

/**
 * What lies over the picture that is worked on: outlines, handles and guides, in canvas pixels.
 * @param scale screen pixels for each pixel of the canvas.
 */
export function StageOverlay(props: { readonly scale: number; readonly onMenu: (at: Point) => void }) {
  const { scale, onMenu } = props;
  const { show, stage, media } = useServices();
  const document = useShow((state) => state.document);
  const selected = useStage((state) => state.selected);
  const [guides, setGuides] = useState<readonly Guide[]>([]);
  const [hovered, setHovered] = useState<SceneItem["id"]>();
  const [dragging, setDragging] = useState(false);
  const svg = useRef<SVGSVGElement>(null);
  const press = useRef<Press>(undefined);
  const { canvas } = document;
  const scene = workScene(document);
  const seen = seenItems(scene, document.sources);
  const item = seen.find(({ id }) => id === selected);
  const under = seen.find(({ id }) => id === hovered);

  const pointAt = (event: { clientX: number; clientY: number }): Point => {
    const box = svg.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return { x: 0, y: 0 };
    return {
      x: ((event.clientX - box.left) / box.width) * canvas.width,
      y: ((event.clientY - box.top) / box.height) * canvas.height,
    };
  };

  const begin = (event: PointerEvent<Element>, held: SceneItem, what: DragKind, again: boolean) => {
    const size = sizeOf(media.captures.get(held.source));
    const start = what.kind === "crop" ? tightened(held.transform, size) : held.transform;
    const others = seen.filter((other) => other !== held).map(({ transform }) => transform);
    const drag: Drag = { what, start, from: pointAt(event), others, canvas };
    gestures += 1;
    const screen = { x: event.clientX, y: event.clientY };
    press.current = { item: held, drag, gesture: `drag-${gestures}`, screen, again, moved: false };
    svg.current?.setPointerCapture(event.pointerId);
  };

  const onPointerDown = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button !== 0) return;
    const hits = itemsAt(seen, pointAt(event));
    const held = heldBy(hits, selected);
    stage.setState({ selected: held?.id });
    if (held !== undefined) begin(event, held, { kind: "move" }, held.id === selected);
  };

  const onHandle = (event: PointerEvent<Element>, handle: Handle | "rotate") => {
    if (event.button !== 0 || item === undefined || item.locked) return;
    event.stopPropagation();
    const what: DragKind =
      handle === "rotate" ? { kind: "rotate" } : { kind: event.altKey ? "crop" : "resize", handle };
    begin(event, item, what, false);
  };

  const onPointerMove = (event: PointerEvent<SVGSVGElement>) => {
    const held = press.current;
    if (held === undefined) {
      setHovered(itemsAt(seen, pointAt(event))[0]?.id);
      return;
    }
    const wandered = Math.hypot(event.clientX - held.screen.x, event.clientY - held.screen.y);
    if (!held.moved && wandered < CLICK) return;
    held.moved = true;
    setDragging(true);
    const keys = { shift: event.shiftKey, control: event.ctrlKey || event.metaKey };
    const { transform, guides: lines } = dragged(held.drag, pointAt(event), keys, REACH / scale);
    const placed = held.drag.what.kind === "rotate" ? transform : settled(transform);
    setGuides(lines);
    const name = document.sources.find(({ id }) => id === held.item.source)?.name ?? "";
    show.change(
      strings.stage.steps[held.drag.what.kind](name),
      (before) => changeItem(before, scene.id, held.item.id, (now) => ({ ...now, transform: placed })),
      held.gesture,
    );
  };

  const onPointerUp = (event: PointerEvent<SVGSVGElement>) => {
    const held = press.current;
    press.current = undefined;
    setGuides([]);
    setDragging(false);
    if (held === undefined) return;
    if (held.moved) show.endGesture();
    else if (held.again && event.type === "pointerup") {
      stage.setState({ selected: nextBelow(itemsAt(seen, pointAt(event)), selected)?.id });
    }
  };

  // Escape in the middle of a drag puts everything back.
  useEffect(() => {
    if (!dragging) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || press.current === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      press.current = undefined;
      show.cancelGesture();
      setGuides([]);
      setDragging(false);
    };
    addEventListener("keydown", onKeyDown, true);
    return () => removeEventListener("keydown", onKeyDown, true);
  }, [dragging, show]);

  const onContextMenu = (event: MouseEvent<SVGSVGElement>) => {
    event.preventDefault();
    const held = heldBy(itemsAt(seen, pointAt(event)), selected);
    stage.setState({ selected: held?.id });
    onMenu({ x: event.clientX, y: event.clientY });
  };

  return (
    <svg
      ref={svg}
      className={dragging ? "overlay dragging" : "overlay"}
      viewBox={`0 0 ${canvas.width} ${canvas.height}`}
      preserveAspectRatio="none"
      role="application"
      aria-label={strings.stage.picture(scene.name)}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => setHovered(undefined)}
      onContextMenu={onContextMenu}
    >
      <rect
        className="overlay-ground"
        x={-canvas.width}
        y={-canvas.height}
        width={canvas.width * 3}
        height={canvas.height * 3}
      />
      {under === undefined || under === item || dragging ? null : <Outline item={under} className="hovered" />}
      {item === undefined ? null : (
        <>
          <Outline item={item} className={item.locked ? "selected locked" : "selected"} />
          {item.locked ? null : <HandleMarks box={item.transform} scale={scale} onPress={onHandle} />}
        </>
      )}
      <Guides guides={guides} canvas={canvas} />
    </svg>
  );
}

function Outline({ item, className }: { readonly item: SceneItem; readonly className: string }) {
  const points = cornersOf(item.transform)
    .map(({ x, y }) => `${x},${y}`)
    .join(" ");
  return <polygon className={`outline ${className}`} points={points} />;
}

function sizeOf(capture: Size | undefined): Size | undefined {
  return capture === undefined || capture.width === 0 || capture.height === 0 ? undefined : capture;
}

import type { PointerEvent } from "react";
import { HANDLES, type Handle } from "../../document/handle.ts";
import type { Guide } from "../../document/snapping.ts";
import type { Size, Transform } from "../../document/transform.ts";
import { strings } from "../strings.ts";

/** Screen pixels; on a large screen handles are enlarged with everything else. */
const MARK = 9;
/** Screen pixels about a handle that take hold of it: more than is seen, for unsteady hands. */
const GRIP = 18;
const STEM = 24;

const CURSORS = ["ns-resize", "nesw-resize", "ew-resize", "nwse-resize"] as const;

/** The pointer over a handle, whichever way the box is turned. */
export function handleCursor(handle: Handle, rotation: number): (typeof CURSORS)[number] {
  const { dx, dy } = HANDLES[handle];
  // Degrees clockwise from the top.
  const direction = (Math.atan2(dx, -dy) * 180) / Math.PI + rotation;
  const eighth = ((Math.round(direction / 45) % 4) + 4) % 4;
  return CURSORS[eighth] ?? "ns-resize";
}

/**
 * The eight handles of a box and the one that turns it.
 * @param scale screen pixels for each pixel of the canvas: handles are the same size at every zoom.
 */
export function HandleMarks(props: {
  readonly box: Transform;
  readonly scale: number;
  readonly onPress: (event: PointerEvent<Element>, handle: Handle | "rotate") => void;
}) {
  const { box, scale, onPress } = props;
  const enlarged = rootScale() / scale;
  const mark = MARK * enlarged;
  const grip = GRIP * enlarged;
  const stem = STEM * enlarged;
  const handles = (Object.entries(HANDLES) as [Handle, { dx: number; dy: number }][]).filter(
    // On a small box the handles of the edges would cover those of the corners.
    ([, { dx, dy }]) => (dx !== 0 || box.width > 4 * mark) && (dy !== 0 || box.height > 4 * mark),
  );
  return (
    <g transform={`translate(${box.x} ${box.y}) rotate(${box.rotation})`}>
      <line className="stem" x1={0} x2={0} y1={-box.height / 2} y2={-box.height / 2 - stem} />
      <g className="handle rotate" data-handle="rotate" onPointerDown={(event) => onPress(event, "rotate")}>
        <title>{strings.stage.rotate}</title>
        <circle className="grip" cx={0} cy={-box.height / 2 - stem} r={grip / 2} />
        <circle className="mark" cx={0} cy={-box.height / 2 - stem} r={mark / 2} />
      </g>
      {handles.map(([handle, { dx, dy }]) => {
        const x = (dx * box.width) / 2;
        const y = (dy * box.height) / 2;
        return (
          <g
            key={handle}
            className="handle"
            data-handle={handle}
            style={{ cursor: handleCursor(handle, box.rotation) }}
            onPointerDown={(event) => onPress(event, handle)}
          >
            <title>{strings.stage.handles[handle]}</title>
            <rect className="grip" x={x - grip / 2} y={y - grip / 2} width={grip} height={grip} />
            <rect className="mark" x={x - mark / 2} y={y - mark / 2} width={mark} height={mark} rx={mark / 4.5} />
          </g>
        );
      })}
    </g>
  );
}

/** How much larger than usual the page is drawn: 1 rem is 13 px on all but large screens. */
function rootScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 13;
}

/** The lines that something snapped to. */
export function Guides({ guides, canvas }: { readonly guides: readonly Guide[]; readonly canvas: Size }) {
  return guides.map(({ axis, at }) =>
    axis === "x" ? (
      <line key={`x${at}`} className="guide" x1={at} x2={at} y1={0} y2={canvas.height} />
    ) : (
      <line key={`y${at}`} className="guide" x1={0} x2={canvas.width} y1={at} y2={at} />
    ),
  );
}
